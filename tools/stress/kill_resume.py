"""Kill small trainings at random moments, resume them, compare their ends bit for bit.

python tools/stress/kill_resume.py --kills 100 --seed 1 --markdown kills.md
python tools/stress/kill_resume.py --kills 20 --recipes metabin --ranks 2 --kinds rank worker

A run is killed up to three times. Its losses, validations, weights, memories, moments, schedules
and histories must be those of a run that nobody disturbed, and nothing may be left behind. The tool
ends with 1 if not, and keeps the runs that differ. It runs on the CPU.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from stress_parts import report
from stress_parts.names import KINDS, RECIPES

from mmreid_ext.cli.errors import run_tool


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=60, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="draws runs and moments")
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=KINDS,
        default=KINDS,
        help="who is killed: one rank, all ranks, all processes, one that loads pictures; "
        "stop asks one rank by SIGTERM",
    )
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=RECIPES)
    parser.add_argument("--ranks", nargs="+", type=int, choices=[1, 2], default=[1, 2])
    parser.add_argument("--background", action="store_true", help="write checkpoints in a thread")
    parser.add_argument("--minutes", type=float, help="begin no run after this time")
    report.add_report_arguments(parser)
    return parser.parse_args()


def run(args: argparse.Namespace) -> int:
    report.check_report_arguments(args)
    from stress_parts import kills, outcome, recipes

    problems: list[str] = []
    with report.workplace(args, problems) as folder:
        people = recipes.draw_people(folder / "people")
        checkpoint = dict(background=True) if args.background else {}
        killing = kills.Killing(folder, people, args.seed, checkpoint=checkpoint)
        draw = dict(recipes=args.recipes, ranks=args.ranks, kinds=args.kinds)
        outcomes = killing.many(args.kills, **draw, minutes=args.minutes)
        problems += [f"{one.name}: {text}" for one in outcomes for text in one.problems]
        report.write(args, outcome.markdown(outcomes), dict(runs=[asdict(one) for one in outcomes]))
        return report.verdict(problems, folder)


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
