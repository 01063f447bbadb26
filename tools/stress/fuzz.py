"""Try drawn cases against slow oracles, and damaged files against every reader.

python tools/stress/fuzz.py --cases 100000 --report fuzz.md
python tools/stress/fuzz.py --only ranking reranking --cases 1000 --seed 5
python tools/stress/fuzz.py --case ranking:4711

Each case is made from its number, so the number of a failure repeats it. Cases run in a process of
their own, which is ended if one takes too long or too much memory. The exit code is 1 if a case
failed. The tests run a few cases of each part.
"""

from __future__ import annotations

import argparse
import json
import signal
import tempfile
import time
from pathlib import Path

from fuzz_parts import pictures, protocols, ranking, readers, reranking, samplers
from fuzz_parts.report import as_json, as_markdown
from fuzz_parts.running import Part, Tally, generator, quiet
from fuzz_parts.workers import run_apart

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable
from mmreid_ext.suggest import did_you_mean

PARTS: dict[str, Part] = {
    module.PART.name: module.PART
    for module in (samplers, ranking, reranking, protocols, readers, pictures)
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1000, help="of each part (default: 1,000)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first (default: 0)")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, metavar="PART", help=f"some of {', '.join(PARTS)}"
    )
    parser.add_argument("--case", metavar="PART:SEED", help="repeat one case, here, with traceback")
    parser.add_argument("--minutes", type=float, help="of the clock, for all parts together")
    parser.add_argument(
        "--memory", type=float, default=1.0, help="GB that a case may add (default: %(default)s)"
    )
    parser.add_argument(
        "--patience", type=float, default=120, help="seconds for a case (default: %(default)s)"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write .md or .json")
    args = parser.parse_args()
    if args.cases < 1 or args.seed < 0:
        parser.error("--cases must be at least 1, and --seed at least 0")
    if args.report is not None and args.report.suffix not in (".md", ".json"):
        parser.error("--report must end with .md or .json")
    return args


def run(args: argparse.Namespace) -> int:
    if args.case is not None:
        return repeat(args.case)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left behind
    require_writable(args.report, "--report")
    until = time.monotonic() + 60 * args.minutes if args.minutes else float("inf")
    tallies: dict[str, Tally] = {}
    for name in args.only or PARTS:
        tallies[name] = run_apart(
            PARTS[name],
            args.seed,
            args.cases,
            memory=int(args.memory * 1e9),
            seconds=args.patience,
            until=until,
            progress=lambda tally, name=name: _say(name, tally, args.cases),
        )
        print()
        report = as_json(PARTS, tallies, args.seed)
        if args.report is not None:
            text = as_markdown(report)
            if args.report.suffix == ".json":
                text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
            args.report.write_text(text, encoding="utf-8")
    print(as_markdown(report))
    return 1 if any(tally.failed for tally in tallies.values()) else 0


def _say(name: str, tally: Tally, cases: int) -> None:
    print(f"\r{name}: {tally.cases:,} of {cases:,}, {tally.failed} failed", end="", flush=True)


def repeat(case: str) -> int:
    """Run one case in this process; what it raises is shown with its traceback."""
    name, _, seed = case.partition(":")
    if name not in PARTS or not seed.isdecimal():
        raise UserError(
            f"--case {case}: must be PART:SEED, with one of {', '.join(PARTS)}"
            f"{did_you_mean(name, PARTS)}."
        )
    part = PARTS[name]
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        with quiet(part.noisy):
            prepared = part.prepare(Path(folder))
        print(f"{case}: {part.case(generator(part, int(seed)), prepared)}")
    return 0


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
