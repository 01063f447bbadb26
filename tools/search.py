"""Find the pictures of a gallery that look most like a query; labels aren't needed.

python tools/search.py who.jpg --gallery PHOTOS --model CHECKPOINT
python tools/search.py who.jpg QUERIES --gallery features.npz --model CHECKPOINT --html found.html

The gallery is a folder, a .csv file, a .txt list, or a features file of tools/embed.py, which saves
the time to embed it. A query that is itself in the gallery is left out of its own list.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable
from mmreid_ext.shorten import several

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmreid_ext.apis import ReIDInferencer
    from mmreid_ext.apis.embedding.gallery import Gallery
    from mmreid_ext.apis.search_report import Found

FORMATS = ("json", "csv", "html")


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("queries", nargs="+", metavar="QUERY", help="pictures or folders")
    parser.add_argument(
        "--gallery", required=True, help="folder, .csv, .txt, or features file (.npz, .parquet)"
    )
    parser.add_argument("--model", required=True, metavar="CHECKPOINT", help="a trained model")
    parser.add_argument(
        "--config", help="its configuration, for checkpoints that don't hold one themselves"
    )
    parser.add_argument("--topk", type=int, default=10, help="length of the lists (default: 10)")
    for name in FORMATS:
        parser.add_argument(
            f"--{name}", type=Path, metavar="FILE", help=f"write the lists as {name}"
        )
    parser.add_argument(
        "--save-gallery", type=Path, metavar="FILE", help="keep the embeddings of the gallery"
    )
    parser.add_argument(
        "--image-root", type=Path, help="folder of the pictures that a features file names"
    )
    parser.add_argument("--batch-size", type=int, default=64, help="pictures of a forward pass")
    parser.add_argument("--device", help="where to compute (default: the first GPU, else the CPU)")
    args = parser.parse_args()
    if args.topk < 1:
        parser.error(f"--topk {args.topk}: at least 1")
    return args


def run(args: argparse.Namespace) -> None:
    for name in (*FORMATS, "save_gallery"):
        require_writable(getattr(args, name), f"--{name.replace('_', '-')}")

    from mmreid_ext.apis import ReIDInferencer
    from mmreid_ext.apis.embedding.gallery import open_gallery
    from mmreid_ext.apis.search_report import (
        search_data,
        search_text,
        write_search_csv,
        write_search_json,
    )
    from mmreid_ext.apis.stored_features import is_features_file
    from mmreid_ext.cli.screen.embedding_progress import EmbeddingProgress

    if args.save_gallery is not None and is_features_file(args.gallery):
        raise UserError(f"--save-gallery {args.save_gallery}: {args.gallery} is a features file.")
    queries = query_files(args.queries)
    inferencer = ReIDInferencer(
        args.config, args.model, device=args.device, batch_size=args.batch_size
    )
    progress = EmbeddingProgress(0)
    gallery = open_gallery(
        args.gallery,
        args.model,
        inferencer,
        save=args.save_gallery,
        threads=min(4, os.cpu_count() or 1),
        progress=progress,
    )
    progress.end()
    if args.image_root is not None:
        gallery.folder = args.image_root
    found = search(inferencer, queries, gallery, args.topk)
    print(search_text(found, inferencer.thresholds))
    if gallery.unreadable:
        name, reason = next(iter(gallery.unreadable.items()))
        lost = several(len(gallery.unreadable), "gallery picture")
        print(f"\nNot searched: {lost} that can't be read, first {name}: {reason}")
    if args.json is not None:
        write_search_json(args.json, search_data(found, args.model, inferencer.thresholds))
    if args.csv is not None:
        write_search_csv(args.csv, found)
    if args.html is not None:
        write_page(args.html, found, gallery)
    for file in (args.save_gallery, args.json, args.csv, args.html):
        if file is not None:
            print(f"Written: {file}")


def query_files(given: list[str]) -> list[str]:
    """List the query pictures; folders give theirs, with those of subfolders."""
    from mmreid_ext.apis.embedding.image_list import list_of

    found = []
    for source in given:
        images = list_of(source)
        found += [os.path.join(images.folder, path) for path in images.paths]
    return found


def search(
    inferencer: ReIDInferencer, queries: list[str], gallery: Gallery, topk: int
) -> list[Found]:
    """Find the nearest pictures of every query, without the query itself."""
    from mmreid_ext.apis.search import nearest
    from mmreid_ext.apis.search_report import Found, Hit, same_person
    from mmreid_ext.protocols.camera_label import camera_label

    images, lists = gallery.images, []
    own = own_places(queries, gallery)
    # More than asked for: the query itself may be among them.
    nearest_of = nearest(inferencer(queries), images.feats, topk + max(map(len, own)))
    for query, itself, rows, values in zip(
        queries, own, nearest_of.indices.tolist(), nearest_of.similarities.tolist(), strict=True
    ):
        others = [
            (row, value) for row, value in zip(rows, values, strict=True) if row not in itself
        ]
        hits = [
            Hit(
                rank,
                str(images.names[row]),
                value,
                person_of(int(images.pids[row]), gallery),
                camera_label(int(images.camids[row])) if images.camids[row] >= 0 else "",
                same_person(value, inferencer.thresholds),
            )
            for rank, (row, value) in enumerate(others[:topk], 1)
        ]
        lists.append(Found(query, hits, bool(itself)))
    return lists


def person_of(pid: int, gallery: Gallery) -> str:
    """Name a person; empty where unknown."""
    return gallery.pid_names.get(pid, str(pid)) if pid >= 0 else ""


def own_places(queries: list[str], gallery: Gallery) -> list[set[int]]:
    """Return the rows of the gallery that are the file of each query, where that can be known."""
    if gallery.folder is None:
        return [set() for _ in queries]
    places: dict[str, set[int]] = {}
    for row, name in enumerate(gallery.images.names):
        path = os.path.realpath(os.path.join(gallery.folder, str(name)))
        places.setdefault(path, set()).add(row)
    return [places.get(os.path.realpath(query), set()) for query in queries]


def write_page(path: Path, found: list[Found], gallery: Gallery) -> None:
    """Write the lists as a page with pictures."""
    from mmreid_ext.visualization.search_page import save_search_page

    root = gallery.folder or Path()
    lists = [
        (one.query, [dict(vars(hit), file=str(root / hit.path)) for hit in one.hits])
        for one in found
    ]
    save_search_page(path, lists)


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
