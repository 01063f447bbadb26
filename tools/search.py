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

FILES = ("--json", "--csv", "--html", "--save-gallery")


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("queries", nargs="+", metavar="QUERY", help="pictures or folders")
    parser.add_argument(
        "--gallery", required=True, help="folder, .csv, .txt, or features file (.npz, .parquet)"
    )
    parser.add_argument(
        "--model", required=True, metavar="CHECKPOINT", help="a trained or exported model"
    )
    parser.add_argument(
        "--config", help="its configuration, for checkpoints that don't hold one themselves"
    )
    parser.add_argument("--topk", type=int, default=10, help="length of the lists (default: 10)")
    for option in FILES[:3]:
        parser.add_argument(
            option, type=Path, metavar="FILE", help=f"write the lists as {option[2:].upper()}"
        )
    parser.add_argument(
        "--save-gallery", type=Path, metavar="FILE", help="keep the embeddings of the gallery"
    )
    parser.add_argument(
        "--image-root", type=Path, help="folder of the pictures that a features file names"
    )
    parser.add_argument(
        "--batch-size", type=int, default=64, help="pictures of a forward pass (default: 64)"
    )
    parser.add_argument("--device", help="where to compute (default: the first GPU, else the CPU)")
    args = parser.parse_args()
    if args.topk < 1:
        parser.error(f"--topk {args.topk}: at least 1")
    return args


def run(args: argparse.Namespace) -> None:
    for option in FILES:
        require_writable(getattr(args, option[2:].replace("-", "_")), option)

    from mmreid_ext.apis import ReIDInferencer
    from mmreid_ext.apis.embedding.gallery import open_gallery
    from mmreid_ext.apis.embedding.gallery_search import embed_queries, query_files, search
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
    asked, feats, lost_queries = embed_queries(inferencer, queries, args.model)
    found = search(inferencer, asked, feats, gallery, args.topk)
    report(args, found, gallery, inferencer, lost_queries)


def report(
    args: argparse.Namespace,
    found: list[Found],
    gallery: Gallery,
    inferencer: ReIDInferencer,
    lost_queries: dict[str, str],
) -> None:
    """Show the lists and what is missing from them, and write the files."""
    from mmreid_ext.apis.search_report import (
        search_data,
        search_text,
        write_search_csv,
        write_search_json,
    )

    print(search_text(found, inferencer.thresholds))
    if lost_queries:
        name, reason = next(iter(lost_queries.items()))
        lost = several(len(lost_queries), "query")
        print(f"\nNot asked: {lost} that can't be read, first {name}: {reason}")
    if gallery.unreadable:
        name, reason = next(iter(gallery.unreadable.items()))
        lost = several(len(gallery.unreadable), "gallery picture")
        print(f"\nNot searched: {lost} that can't be read, first {name}: {reason}")
    if args.json is not None:
        write_search_json(args.json, search_data(found, args.model, inferencer.thresholds))
    if args.csv is not None:
        write_search_csv(args.csv, found)
    if args.html is not None:
        if gallery.folder is None:
            print("\nThe page looks for pictures from this folder on; --image-root names another.")
        write_page(args.html, found, gallery)
    for file in (args.save_gallery, args.json, args.csv, args.html):
        if file is not None:
            print(f"Written: {file}")


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
