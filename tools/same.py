"""Say whether two images show the same person.

python tools/same.py a.jpg b.jpg --model CHECKPOINT
python tools/same.py FOLDER_A FOLDER_B --model CHECKPOINT      # every image with every other
python tools/same.py --pairs pairs.csv --model CHECKPOINT --json

The answers are those at the thresholds that tools/test.py stored with the model. The exit code is 0
if all pairs were compared, whatever the answers are; 1 for an error, 2 for wrong arguments.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys

from mmreid_ext.cli.errors import run_tool


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", nargs="*", metavar="A B", help="two images, or two folders")
    parser.add_argument(
        "--model", required=True, metavar="CHECKPOINT", help="a trained model, or an exported one"
    )
    parser.add_argument(
        "--config", help="its configuration, for checkpoints that don't hold one themselves"
    )
    parser.add_argument(
        "--pairs", metavar="CSV", help="a list of pairs, columns a and b, instead of A and B"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--device", help="where to compute (default: the first GPU, else the CPU)")
    args = parser.parse_args()
    if len(args.images) != (0 if args.pairs else 2):
        parser.error("give two images or folders, or --pairs CSV")
    return args


def run(args: argparse.Namespace) -> None:
    from mmreid_ext.apis import ReIDInferencer
    from mmreid_ext.apis.answer_text import answers_data, answers_text
    from mmreid_ext.apis.pairs import compare_pairs, listed_pairs, pairs_of
    from mmreid_ext.evaluation.progress import PeriodicProgress

    pairs = listed_pairs(args.pairs) if args.pairs else pairs_of(*args.images)
    inferencer = ReIDInferencer(args.config, args.model, device=args.device)
    progress = PeriodicProgress(functools.partial(print, file=sys.stderr))
    found = compare_pairs(inferencer, pairs, progress)
    if args.json:
        print(json.dumps(answers_data(pairs, found, args.model), indent=2))
    else:
        print(answers_text(pairs, found, args.model))


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
