"""Let small trainings die at every place where the files of a checkpoint change, and resume them.

python tools/stress/crash_points.py --markdown crashes.md
python tools/stress/crash_points.py --recipes xbm --ranks 1 --every 5
python tools/stress/crash_points.py --recipes xbm --ranks 2 --first 30 --minutes 5

The places are before each opening for writing, fsync, rename and removal, in the middle of each
file (half of it is on disk), and at the fsync of the folder. The process that writes ends there
without a word. The resumed run must end like one that nobody disturbed, no earlier checkpoint may
be lost, and no file may be left. The tool ends with 1 if not. It runs on the CPU and needs Linux.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict

from stress_parts import report
from stress_parts.names import RECIPES

from mmreid_ext.cli.errors import run_tool


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=["metabin", "xbm"])
    parser.add_argument("--ranks", nargs="+", type=int, choices=[1, 2], default=[1])
    parser.add_argument("--every", type=int, default=1, help="take every N-th place only")
    parser.add_argument("--first", type=int, default=1, help="number of the first place, from 1")
    parser.add_argument("--minutes", type=float, help="let no run die after this time")
    parser.add_argument("--background", action="store_true", help="write checkpoints in a thread")
    report.add_report_arguments(parser)
    args = parser.parse_args()
    if args.first < 1 or args.every < 1:
        parser.error("--first and --every must be at least 1")
    return args


def run(args: argparse.Namespace) -> int:
    report.check_report_arguments(args)
    from stress_parts import crashes, recipes

    problems: list[str] = []
    with report.workplace(args, problems) as folder:
        people = recipes.draw_people(folder / "people")
        checkpoint = dict(background=True) if args.background else {}
        end = time.monotonic() + 60 * (args.minutes or float("inf"))
        found, left = {}, []
        for ranks in args.ranks:
            for recipe in args.recipes:
                name = f"{recipe}, {ranks} ranks"
                place = folder / f"{recipe}_{ranks}"
                one = crashes.Crashing(recipe, ranks, place, people, checkpoint=checkpoint)
                found[name], after = one.all(args.first, args.every, end)
                problems += [f"{name}: {place} isn't on disk before" for place in one.unsynced()]
                problems += [f"{name}, {crash}" for crash in found[name] if crash.problems]
                if after is not None:
                    left.append(f"{name}: the time is over; go on with --first {after}")
        figures = {name: [asdict(one) for one in several] for name, several in found.items()}
        report.write(args, crashes.markdown(found), figures)
        print("\n".join(left), end="\n" if left else "")
        return report.verdict(problems, folder)


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
