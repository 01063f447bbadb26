"""Compare models by their results files: difference, 95 % interval over queries, spread over seeds.

python tools/compare.py baseline.json new.json              # new against baseline
python tools/compare.py baseline.json new.json other.json   # each of the others against the first
python tools/compare.py --a a1.json a2.json a3.json --b b1.json b2.json b3.json   # seeds of two
sides

Results files are written by `tools/test.py --out` and `tools/evaluate.py --out`.
"""

from __future__ import annotations

import argparse
import dataclasses

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.evaluation.comparison import compare, format_comparison, setting_notes
from mmreid_ext.evaluation.report import read_results, write_results


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", help="results files; the first one is the baseline A")
    parser.add_argument("--a", nargs="+", metavar="JSON", help="all runs of the baseline A")
    parser.add_argument("--b", nargs="+", metavar="JSON", help="all runs of B")
    parser.add_argument("--resamples", type=int, default=10_000, help="bootstrap resamples")
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap")
    parser.add_argument("--out", metavar="JSON", help="also write the figures here")
    args = parser.parse_args()
    if bool(args.a) != bool(args.b) or bool(args.a) == bool(args.files):
        parser.error("give either results files (at least two), or both --a and --b")
    if not args.a and len(args.files) < 2:
        parser.error("comparing takes at least two results files")
    return args


def run(args: argparse.Namespace) -> None:
    pairs = [(args.a, args.b)] if args.a else [(args.files[:1], [f]) for f in args.files[1:]]
    documents = {file: read_results(file) for pair in pairs for side in pair for file in side}
    figures = []
    for a, b in pairs:
        sides = [[documents[file] for file in side] for side in (a, b)]
        report = compare(*sides, num_resamples=args.resamples, seed=args.seed)
        notes = "".join(f"Note: {note}\n" for note in setting_notes(*sides))
        print(f"A: {', '.join(a)}\nB: {', '.join(b)}\n{notes}{format_comparison(report)}\n")
        sets = {
            name: {key: [dataclasses.asdict(d) for d in found] for key, found in variants.items()}
            for name, variants in report.items()
        }
        figures.append(dict(a=a, b=b, test_sets=sets))
    print("Percent. ± on A and B: deviation over seeds; on B - A: its standard error over seeds.")
    if args.out:
        write_results(args.out, dict(comparisons=figures))


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
