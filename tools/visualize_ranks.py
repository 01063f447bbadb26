"""Draw ranked lists and curves from saved embeddings.

python tools/test.py CONFIG CHECKPOINT --save-features features.npz
python tools/visualize_ranks.py features.npz        # the worst 100 queries of each test set
python tools/visualize_ranks.py features.npz --limit 0 --topk 20 --rerank k1=30 k2=6 lambda=0.2

Writes, for each test set: ranked_list.html (open it in any browser), ranked_list.png, cmc.png,
roc.png and distances.png. They show the people of the data set: read its terms before you share
them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.evaluation_options import (
    add_distance_argument,
    add_protocol_argument,
    add_rerank_arguments,
    chosen_protocols,
    given_options,
)
from mmreid_ext.cli.feature_options import (
    add_dataset_argument,
    add_features_argument,
    asked_sets,
)
from mmreid_ext.cli.own_modules import add_import_argument, import_own
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import plain_file_name, require_writable
from mmreid_ext.protocols import EvaluationProtocol, Labels, Split, match_report

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmreid_ext.evaluation.embedding_set import EmbeddingSet
    from mmreid_ext.evaluation.options import EvaluationOptions
    from mmreid_ext.visualization import RankedLists


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_features_argument(parser)
    parser.add_argument(
        "--out-dir", help="folder to write into, by default FEATURES without its suffix"
    )
    add_dataset_argument(parser)
    parser.add_argument(
        "--image-root",
        default="",
        help="folder of the images if they were moved: of a test set or of several",
    )
    parser.add_argument("--topk", type=int, default=10, help="length of the lists (10)")
    parser.add_argument("--limit", type=int, default=100, help="queries, worst first (100); 0: all")
    parser.add_argument("--png-limit", type=int, default=10, help="queries in the PNG (10)")
    parser.add_argument(
        "--split", type=int, default=1, help="which of a protocol's splits to draw, from 1 (1)"
    )
    add_rerank_arguments(parser)
    add_distance_argument(parser, "cosine")
    add_protocol_argument(parser, "the one saved with the features")
    add_import_argument(parser)
    return parser.parse_args()


def chosen_sets(
    args: argparse.Namespace, images: EmbeddingSet, saved: Mapping[str, Any]
) -> Iterator[tuple[str, EmbeddingSet, EvaluationProtocol, Split]]:
    """Yield label, images, protocol and the chosen split of every test set to draw."""
    from mmreid_ext.evaluation.evaluate_sets import built_protocols

    sets = dict(images.by_dataset())
    protocols = built_protocols(chosen_protocols(args.protocol, saved), list(sets))
    for name in asked_sets(args.dataset, sets, args.features):
        protocol = protocols[name]
        splits = list(protocol.splits(sets[name]))
        if not 1 <= args.split <= len(splits):
            raise UserError(
                f"--split {args.split}: the protocol of {name!r} has {len(splits)} split(s), "
                "numbered from 1."
            )
        report = match_report(Labels.of(sets[name], protocol.matching_split(sets[name])), name)
        if report.is_total:
            raise UserError(report.text)
        label = name if len(splits) == 1 else f"{name}_split{args.split}"
        yield label, sets[name], protocol, splits[args.split - 1]


def draw(
    args: argparse.Namespace,
    options: EvaluationOptions,
    name: str,
    images: EmbeddingSet,
    protocol: EvaluationProtocol,
    split: Split,
    folder: Path,
    pid_names: dict[int, str],
) -> tuple[RankedLists, str]:
    """Write all pictures of one split; return the lists and the folder of the images."""
    from mmreid_ext.evaluation.results.image_names import place_images
    from mmreid_ext.evaluation.retrieval.settings import rerank_settings
    from mmreid_ext.visualization import (
        pair_histogram,
        plot_cmc,
        plot_distance_histogram,
        plot_roc,
        rank_queries,
        save_ranked_list_html,
        save_ranked_list_png,
    )

    feats = (images.query_features(split, options.distance), images.feats[split.gallery])
    labels = Labels.of(images, split)
    pids = (labels.query_pids, labels.gallery_pids)
    arrays = (*feats, *pids, labels.query_camids, labels.gallery_camids)
    names, root = place_images(images.names.tolist(), args.image_root)
    paths = [[names[row] for row in rows] for rows in (split.query, split.gallery)]
    rerank = rerank_settings(options.rerank, sum(map(len, pids)))
    ranked = rank_queries(
        *arrays,
        distance=options.distance,
        topk=args.topk,
        limit=args.limit or None,
        rerank=None if protocol.self_retrieval else rerank,  # as in the table
        counting=protocol.counting,
        pid_names=pid_names,
    )
    # A protocol may put other numbers in the place of cameras; the pictures show the real ones.
    cameras = (images.camids[split.query], images.camids[split.gallery])
    shown = replace(
        ranked,
        query_pids=images.pids[split.query],
        gallery_pids=images.pids[split.gallery],
        query_camids=cameras[0],
        gallery_camids=cameras[1],
        gallery_distractors=images.distractors[split.gallery],
    )
    where: dict[str, Any] = {"image_root": root, "title": f"Ranked lists: {name}"}
    save_ranked_list_html(folder / "ranked_list.html", shown, *paths, **where)
    save_ranked_list_png(folder / "ranked_list.png", shown, *paths, limit=args.png_limit, **where)
    plot_cmc({entry.name: entry.cmc for entry in ranked.lists}, folder / "cmc.png")
    plot_roc({entry.name: tuple(entry.roc) for entry in ranked.lists}, folder / "roc.png")
    histogram = pair_histogram(*arrays, distance=options.distance)
    plot_distance_histogram(histogram, folder / "distances.png")
    return ranked, root


def run(args: argparse.Namespace) -> None:
    out = Path(args.out_dir or Path(args.features).with_suffix(""))
    require_writable(out / "set" / "ranked_list.html", "--out-dir")
    given = given_options(args)
    import_own(args.imports)

    from mmreid_ext.evaluation.options import EvaluationOptions
    from mmreid_ext.evaluation.results.features_file import (
        load_features,
        notes_as_data,
        saved_protocols,
    )

    options = EvaluationOptions(**given)
    images, notes = load_features(args.features)
    if not len(images):
        raise UserError(f"{args.features} holds no embedding, so there is nothing to draw.")
    named = notes_as_data(notes, args.features)["pid_names"]
    saved = saved_protocols(notes, args.features)
    for name, test_set, protocol, split in chosen_sets(args, images, saved):
        folder = out / plain_file_name(name)
        people = named.get(test_set.title, {})
        ranked, root = draw(args, options, name, test_set, protocol, split, folder, people)
        scores = "; ".join(f"{x.name} mAP {100 * x.scores['mAP']:.2f} %" for x in ranked.lists)
        print(f"{name}: {len(ranked.queries)} queries drawn ({scores}): {folder}")
        print(f"  its pages show pictures from {root or 'the current folder'}")


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
