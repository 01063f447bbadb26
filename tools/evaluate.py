"""Evaluate saved embeddings again, without the model or the images.

python tools/test.py CONFIG CHECKPOINT --save-features features.npz
python tools/evaluate.py features.npz                              # the same table
python tools/evaluate.py features.npz --rerank k1=30 k2=6 lambda=0.2
python tools/evaluate.py features.npz --no-rerank --protocol mine=no_camera --out results.json
"""

from __future__ import annotations

import argparse
import functools
import json
import sys

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.evaluation_options import parse_query_expansion, parse_rerank, rerank_example
from mmreid_ext.cli.feature_options import add_features_argument
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.evaluate_sets import built_protocols, evaluate_sets
from mmreid_ext.evaluation.progress import PeriodicProgress
from mmreid_ext.evaluation.rerank_options import check_options
from mmreid_ext.evaluation.results.features_file import (
    load_features,
    notes_as_data,
    saved_protocols,
)
from mmreid_ext.evaluation.results.report import format_table, results_document, write_results
from mmreid_ext.evaluation.retrieval.settings import AUTO_RERANK_LIMIT, DISTANCES
from mmreid_ext.output_files import require_writable
from mmreid_ext.protocols import protocol_names


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_features_argument(parser)
    parser.add_argument(
        "--rerank",
        nargs="*",
        metavar="NAME=VALUE",
        help=f"settings of the re-ranking ({rerank_example()}), which is on by default for sets "
        f"under {AUTO_RERANK_LIMIT:,} images",
    )
    parser.add_argument("--no-rerank", action="store_true", help="no re-ranked rows")
    parser.add_argument(
        "--aqe",
        nargs="*",
        metavar="NAME=VALUE",
        help="query expansion: join each query with its n=5 nearest gallery images, weighted by "
        "similarity to the power alpha=0",
    )
    parser.add_argument("--distance", choices=DISTANCES, default="cosine")
    parser.add_argument(
        "--protocol",
        action="append",
        default=[],
        metavar="[SET=]PROTOCOL",
        help="protocol of all test sets or of one, instead of the saved one: "
        f"{', '.join(protocol_names())}, or JSON",
    )
    parser.add_argument("--out", metavar="JSON", help="write all figures and per-query AP here")
    return parser.parse_args()


def chosen_protocols(options: list[str], saved: dict) -> dict:
    """Protocol by test set (``None``: for all the others), options before what the file says."""
    protocols = dict(saved)
    for option in options:
        name, separator, spec = option.partition("=")
        if not separator or option.startswith("{"):
            name, spec, protocols = None, option, {}
        protocols[name] = _from_json(option, spec) if spec.startswith("{") else spec
    return protocols


def _from_json(option: str, spec: str) -> dict:
    try:
        return json.loads(spec)
    except json.JSONDecodeError as error:
        raise UserError(
            f"--protocol {option}: {spec!r} is no JSON ({error}); write for example "
            '\'{"type": "single_gallery_shot", "repeats": 10}\'.'
        ) from error


def run(args: argparse.Namespace) -> None:
    require_writable(args.out, "--out")
    options = dict(
        distance=args.distance,
        rerank=parse_rerank(args.rerank, args.no_rerank),
        query_expansion=parse_query_expansion(args.aqe),
    )
    images, notes = load_features(args.features)
    specs = chosen_protocols(args.protocol, saved_protocols(notes, args.features))
    protocols = built_protocols(specs, images.set_names())
    check_options(**options, max_rank=1, protocols=protocols.values())
    progress = PeriodicProgress(functools.partial(print, file=sys.stderr))
    about = notes_as_data(notes, args.features)
    results, failures = evaluate_sets(
        images, protocols, pid_names=about["pid_names"], progress=progress, **options
    )
    for failure in failures:
        print(f"warning: {failure}")
    for name, result in results.items():
        if result.unanswerable:
            print(f"{name}: {result.unanswerable}")
        if result.unknown_cameras:
            print(f"warning: {result.unknown_cameras}")
    print(format_table(results))
    if args.out:
        document = results_document(
            results,
            dict(features=args.features, **options, notes=about.pop("others")),
            embeddings=images,
            **about,
        )
        print(f"Written: {write_results(args.out, document)}")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
