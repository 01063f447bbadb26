"""Ten minutes on a GPU: is everything right there, and how fast is it?

python tools/benchmarks/gpu_suite.py                       # eight minutes, no data set
python tools/benchmarks/gpu_suite.py --only ranking step   # some parts
python tools/benchmarks/gpu_suite.py --device cpu --toy    # try the suite without a GPU

The parts, in this order: equality with the CPU, exact resume, two ranks on two GPUs, ranking,
norms, one iteration of MetaBIN, loading, training. It writes gpu_suite.json, gpu_suite.md (a
section for docs/benchmarks.md) and gpu_suite.log while it goes. A part that takes too long is
ended, one that fails is recorded; the suite goes on. The exit code is 1 if an equality does not
hold. Pictures are those of Market-1501 under MMREID_DATA_ROOT; without it, synthetic people.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from gpu_parts.conductor import Conductor
from gpu_parts.document import NAME, Document, summary

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable

PARTS = {
    "equality": ("gpu_parts.equality", 60),
    "resume": ("gpu_parts.resume", 65),
    "ranks": ("gpu_parts.ranks", 30),
    "ranking": ("gpu_parts.ranking", 60),
    "norms": ("gpu_parts.norms", 55),
    "step": ("gpu_parts.step", 130),
    "loader": ("gpu_parts.loader", 35),
    "training": ("gpu_parts.training", 60),
}
"""Module of each part, and its weight: seconds of eight minutes"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=8, help="for all parts (%(default)s)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("work_dirs") / NAME,
        metavar="DIR",
        help="folder of results, written over (%(default)s)",
    )
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--toy", action="store_true", help="small sizes: no measurement")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    return parser.parse_args()


def run(args: argparse.Namespace) -> int:
    """Run the parts; return the exit code."""
    if not (math.isfinite(args.minutes) and args.minutes > 0):
        raise UserError(f"gpu_suite: minutes={args.minutes}, must be a number above 0; give 8.")
    for name in (f"{NAME}.json", f"{NAME}.md", f"{NAME}.log"):
        require_writable(args.out / name, "--out")
    args.out.mkdir(parents=True, exist_ok=True)
    folder = args.out.resolve()
    (folder / f"{NAME}.log").write_bytes(b"")
    asked = dict(device=args.device, toy=args.toy, compiled=not args.no_compile)
    parts = {name: PARTS[name] for name in PARTS if name in (args.only or PARTS)}
    shown = dict(asked, minutes=args.minutes, arguments=" ".join(arguments_that_count(args)))
    document = Document(folder, shown, list(parts))

    def take(name: str, event: dict[str, Any]) -> None:
        if event["kind"] != "machine" or not document.machine:
            document.take(name, event)
            tell(name, event, document)

    try:
        Conductor(dict(asked, folder=str(folder)), take).play(parts, 60 * args.minutes)
    finally:
        if document.machine:
            document.write()
    print(f"\nResults: {args.out / NAME}.md, .json and .log")
    unequal = document.unequal()
    for name in unequal:
        print(f"NOT EQUAL: {name}")
    return 1 if unequal else 0


def arguments_that_count(args: argparse.Namespace) -> list[str]:
    """Write the arguments that decide the results; the folder is nobody's business."""
    words = [] if args.minutes == 8 else ["--minutes", f"{args.minutes:g}"]
    words += [] if args.device == "cuda" else ["--device", args.device]
    words += ["--only", *args.only] if args.only else []
    words += ["--toy"] if args.toy else []
    return words + (["--no-compile"] if args.no_compile else [])


def tell(name: str, event: dict[str, Any], document: Document) -> None:
    """Show on the screen where the suite is."""
    if event["kind"] == "machine":
        print(", ".join(f"{key} {value}" for key, value in event["facts"].items()), flush=True)
    elif event["kind"] == "begin":
        print(f"{name:<10}", end=" ", flush=True)
    elif event["kind"] == "end":
        part = document.parts[name]
        rows = sum(map(len, part["tables"].values()))
        told = summary(part).replace("*", "") or f"{rows} rows."
        faults = f" {len(part['errors'])} raised." if part["errors"] else ""
        print(f"{event['seconds']:6.1f} s  {told}{faults}", flush=True)


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
