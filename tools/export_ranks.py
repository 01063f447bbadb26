"""Write what every query finds, with scores, as CSV or JSON: from saved embeddings.

python tools/test.py CONFIG CHECKPOINT --save-features features.npz
python tools/export_ranks.py features.npz --out ranks.csv                # the first 10
python tools/export_ranks.py features.npz --out ranks.json --topk 50 --rerank
python tools/export_ranks.py features.npz --out ranks.csv --topk 0       # whole lists

Lists are those that the metrics count: without junk, and without what the protocol leaves out.
Embeddings of tools/embed.py need no labels: every picture then looks for similar ones among the
others.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.evaluation_options import (
    add_distance_argument,
    add_protocol_argument,
    chosen_protocols,
    parse_rerank,
    rerank_example,
)
from mmreid_ext.cli.feature_options import add_dataset_argument, asked_sets
from mmreid_ext.cli.own_modules import add_import_argument, import_own
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable
from mmreid_ext.protocols import Labels, match_report
from mmreid_ext.shorten import several

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmreid_ext.evaluation.embedding_set import EmbeddingSet
    from mmreid_ext.visualization.exported_lists.list_files import ListedSet


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("features", help="features file of tools/test.py or tools/embed.py")
    parser.add_argument("--out", required=True, type=Path, help="file to write: .csv or .json")
    parser.add_argument(
        "--topk", type=int, default=10, help="length of the lists (default: 10); 0: whole lists"
    )
    parser.add_argument(
        "--rerank",
        nargs="*",
        metavar="NAME=VALUE",
        help=f"re-rank the lists ({rerank_example()}); without it, they aren't",
    )
    add_distance_argument(parser, "cosine")
    add_protocol_argument(parser, "the one saved with the features")
    add_dataset_argument(parser)
    add_import_argument(parser)
    args = parser.parse_args()
    if args.topk < 0:
        parser.error(f"--topk {args.topk}: at least 1, or 0 for whole lists")
    return args


def listed_sets(
    args: argparse.Namespace, images: EmbeddingSet, notes: Mapping[str, str]
) -> Iterator[ListedSet]:
    """Yield every split of the chosen test sets; its lists are computed when they are written."""
    from mmreid_ext.evaluation.evaluate_sets import built_protocols
    from mmreid_ext.evaluation.progress import PeriodicProgress
    from mmreid_ext.evaluation.results.features_file import notes_as_data, saved_protocols
    from mmreid_ext.visualization.exported_lists.list_files import ListedSet
    from mmreid_ext.visualization.exported_lists.query_lists import (
        is_unjudged,
        query_lists,
        unjudged_split,
    )

    sets = dict(images.by_dataset())
    chosen = chosen_protocols(args.protocol, saved_protocols(notes, args.features))
    protocols = built_protocols(chosen, list(sets))
    named = notes_as_data(notes, args.features)["pid_names"]
    how: dict[str, Any] = dict(
        topk=args.topk or None,
        distance=args.distance or "cosine",
        rerank=None if args.rerank is None else parse_rerank(args.rerank),
        progress=PeriodicProgress(functools.partial(print, file=sys.stderr)),
    )
    for name in asked_sets(args.dataset, sets, args.features):
        table, protocol, people = sets[name], protocols[name], named.get(name, {})
        if is_unjudged(table) and chosen.get(name, chosen.get(None)) is None:
            split, labels = unjudged_split(table)
            require_no_rerank(args.rerank, split.each_alone, name)
            who = "every picture against all others" if split.each_alone else "queries and gallery"
            print(f"{name}: no query of a known person, so no protocol: {who}")
            yield ListedSet(table, 1, 1, None, people, query_lists(table, split, labels, **how))
            continue
        require_no_rerank(args.rerank, protocol.self_retrieval, name)
        for number, split in enumerate(protocol.splits(table), 1):
            labels = Labels.of(table, split)
            if number == 1 and (report := match_report(labels, name, people)).text:
                print(f"warning: {report.text}")
            lists = query_lists(table, split, labels, **how)
            yield ListedSet(table, number, split.trial + 1, protocol.describe(), people, lists)


def require_no_rerank(rerank: list[str] | None, each_alone: bool, name: str) -> None:
    """Refuse to re-rank where every image is both query and gallery, as testing does.

    Raises:
        UserError: If that was asked for.
    """
    if rerank is not None and each_alone:
        raise UserError(
            f"--rerank: {name!r} asks every image about all others, and re-ranking needs queries "
            "apart from the gallery; leave --rerank out, or choose sets by --dataset."
        )


def run(args: argparse.Namespace) -> None:
    require_writable(args.out, "--out")
    if args.rerank is not None:
        parse_rerank(args.rerank)
    import_own(args.imports)

    from mmreid_ext.apis.stored_features import read_embeddings
    from mmreid_ext.evaluation.results.features_file import notes_as_data
    from mmreid_ext.visualization.exported_lists.list_files import check_list_suffix, write_lists
    from mmreid_ext.visualization.exported_lists.query_lists import RERANKED, SCORES

    check_list_suffix(args.out)
    images, notes = read_embeddings(args.features)
    score = SCORES[args.distance or "cosine"] if args.rerank is None else RERANKED
    model = notes_as_data(notes, args.features)["checkpoint"]
    about = dict(features=args.features, checkpoint=model, topk=args.topk or None)
    queries, empty = write_lists(args.out, listed_sets(args, images, notes), score, about)
    print(f"Written: {args.out}, lists of {several(queries, 'query')} by {score}")
    if empty:
        print(f"warning: {several(empty, 'query')} found nothing: nothing may be ranked")


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
