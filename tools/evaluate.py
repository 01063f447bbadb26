"""Evaluate saved embeddings again, without the model or the images.

python tools/test.py CONFIG CHECKPOINT --save-features features.npz
python tools/evaluate.py features.npz                              # the same table
python tools/evaluate.py features.npz --rerank k1=30 k2=6 lambda=0.2
python tools/evaluate.py large.features                             # larger than the memory
python tools/evaluate.py features.npz --no-rerank --protocol mine=no_camera --out results.json
"""

from __future__ import annotations

import argparse
import functools
import sys

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.evaluation_options import (
    add_distance_argument,
    add_expansion_argument,
    add_open_set_argument,
    add_out_argument,
    add_protocol_argument,
    add_rerank_arguments,
    chosen_protocols,
    given_options,
)
from mmreid_ext.cli.feature_options import add_features_argument
from mmreid_ext.cli.own_modules import add_import_argument, import_own
from mmreid_ext.output_files import require_writable


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_features_argument(parser)
    add_rerank_arguments(parser)
    add_expansion_argument(parser)
    add_open_set_argument(parser)
    add_distance_argument(parser, "cosine")
    add_protocol_argument(parser, "the one saved with the features")
    add_import_argument(parser)
    add_out_argument(parser, "all metrics and the AP of every query")
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    require_writable(args.out, "--out")
    given = given_options(args)
    import_own(args.imports)

    from mmreid_ext.evaluation.evaluate_sets import built_protocols, evaluate_sets, warnings_of
    from mmreid_ext.evaluation.options import EvaluationOptions
    from mmreid_ext.evaluation.progress import PeriodicProgress
    from mmreid_ext.evaluation.results.features_file import (
        load_features,
        notes_as_data,
        saved_protocols,
    )
    from mmreid_ext.evaluation.results.report import format_tables, results_document
    from mmreid_ext.evaluation.results.results_file import write_results

    options = EvaluationOptions(**given)
    images, notes = load_features(args.features, in_memory=False)
    specs = chosen_protocols(args.protocol, saved_protocols(notes, args.features))
    protocols = built_protocols(specs, images.set_names())
    options.check_protocols(protocols.values())
    progress = PeriodicProgress(functools.partial(print, file=sys.stderr))
    about = notes_as_data(notes, args.features)
    results, failures = evaluate_sets(
        images, protocols, pid_names=about["pid_names"], progress=progress, **vars(options)
    )
    for text in warnings_of(results, failures):
        print(f"warning: {text}")
    print(format_tables(results))
    if args.out:
        settings = dict(
            features=args.features,
            distance=options.distance,
            rerank=options.rerank,
            query_expansion=options.query_expansion,
            open_set=options.open_set,
            notes=about.pop("others"),
        )
        document = results_document(results, settings, embeddings=images, **about)
        print(f"Written: {write_results(args.out, document)}")


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
