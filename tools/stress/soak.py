"""Train small networks for long, and fail if memory, descriptors, processes or files grow.

python tools/stress/soak.py --markdown soak.md
python tools/stress/soak.py --recipes metabin --iters 400

A run validates 20 times and saves 40 checkpoints. What it holds is read at regular moments. The end
must not hold more than the beginning, after a warm-up. The tool ends with 1 if it does. It runs on
the CPU and needs Linux.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from stress_parts import report
from stress_parts.names import RECIPES

from mmreid_ext.cli.errors import run_tool


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--iters", type=int, default=2000, help="default: %(default)s")
    parser.add_argument(
        "--recipes", nargs="+", choices=RECIPES, default=["metabin", "xbm", "baseline"]
    )
    parser.add_argument("--background", action="store_true", help="write checkpoints in a thread")
    report.add_report_arguments(parser)
    return parser.parse_args()


def run(args: argparse.Namespace) -> int:
    report.check_report_arguments(args)
    from stress_parts import recipes, soaking

    problems: list[str] = []
    with report.workplace(args, problems) as folder:
        people = recipes.draw_people(folder / "people")
        checkpoint = dict(background=True) if args.background else {}
        soaks = [
            soaking.soak(recipe, folder / recipe, people, args.iters, checkpoint)
            for recipe in args.recipes
        ]
        problems += [f"{one.recipe}: {text}" for one in soaks for text in one.problems]
        report.write(args, soaking.markdown(soaks), dict(runs=[asdict(one) for one in soaks]))
        return report.verdict(problems, folder)


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
