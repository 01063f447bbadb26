"""Compare models by their results files: difference, 95 % interval over people, spread over seeds.

python tools/compare.py baseline.json new.json              # new against baseline
python tools/compare.py baseline.json new.json other.json   # each of the others against the first
python tools/compare.py --a a1.json a2.json --b b1.json b2.json   # seeds of two sides

The option --out of tools/test.py and tools/evaluate.py writes results files.
"""

from __future__ import annotations

import argparse

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.evaluation_options import add_out_argument
from mmreid_ext.evaluation.results.comparison import (
    compare,
    format_comparison,
    missing_notes,
    setting_notes,
)
from mmreid_ext.evaluation.results.difference import as_data
from mmreid_ext.evaluation.results.image_names import relative_names
from mmreid_ext.evaluation.results.results_file import read_results, write_results
from mmreid_ext.output_files import require_writable


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", help="results files; the first one is the baseline A")
    parser.add_argument("--a", nargs="+", metavar="JSON", help="all runs of the baseline A")
    parser.add_argument("--b", nargs="+", metavar="JSON", help="all runs of B")
    for option in ("--resamples", "--seed"):
        parser.add_argument(
            option, type=int, help="without effect: the interval is computed, not sampled"
        )
    add_out_argument(parser, "the differences, too,")
    args = parser.parse_args()
    if bool(args.a) != bool(args.b) or bool(args.a) == bool(args.files):
        parser.error("give either results files (at least two), or both --a and --b")
    if not args.a and len(args.files) < 2:
        parser.error("comparing takes at least two results files")
    return args


def run(args: argparse.Namespace) -> None:
    require_writable(args.out, "--out")
    pairs = [(args.a, args.b)] if args.a else [(args.files[:1], [f]) for f in args.files[1:]]
    documents = {
        file: read_results(file, complete=True) for pair in pairs for side in pair for file in side
    }
    if args.resamples is not None or args.seed is not None:
        print("Note: --resamples and --seed have no effect, the interval is computed, not sampled")
    comparisons = []
    for a, b in pairs:
        sides = [[documents[file] for file in side] for side in (a, b)]
        report = compare(*sides, labels=(a, b))
        notes = setting_notes(*sides) + missing_notes([*sides[0], *sides[1]], [*a, *b])
        lines = "".join(f"Note: {note}\n" for note in notes)
        print(f"A: {', '.join(a)}\nB: {', '.join(b)}\n{lines}{format_comparison(report)}\n")
        sets = {
            name: {key: [as_data(d) for d in found] for key, found in variants.items()}
            for name, variants in report.items()
        }
        files = relative_names([*a, *b])[0]
        comparisons.append(dict(a=files[: len(a)], b=files[len(a) :], notes=notes, test_sets=sets))
    print(
        "Percent. ± on A and B: deviation over seeds; on B - A: its standard error over seeds. "
        "Intervals: over other people for these runs; with seeds: over people and seeds."
    )
    if args.out:
        write_results(args.out, dict(comparisons=comparisons))


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
