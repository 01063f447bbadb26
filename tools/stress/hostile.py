"""Give every kind of hostile file to everything that reads it, and see that no harm is done.

python tools/stress/hostile.py --short
python tools/stress/hostile.py --report hostile.json
python tools/stress/hostile.py --only checkpoint --show --minutes 5

Each file is read in a process of its own, bounded in memory and time. It passes if it ends with one
line of error, or with a right result where the file's fault doesn't matter; if nothing of the file
was executed, nothing outside of the work folder was written or removed, no traceback and no control
character was printed, and memory and time stay near those of an honest file. Linux only.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable
from mmreid_ext.output_files.atomic import atomic_write

TOOLS = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="only the most telling pairs")
    parser.add_argument("--only", nargs="+", metavar="KIND", help="only files of these kinds")
    parser.add_argument("--name", help="only attacks whose name holds this")
    parser.add_argument("--first", type=int, default=0, help="number of the first attack")
    parser.add_argument("--minutes", type=float, help="begin no attack after this time")
    parser.add_argument("--show", action="store_true", help="show the last line of each program")
    parser.add_argument("--report", type=Path, help="write every pair and its outcome as JSON")
    return parser.parse_args()


def run(args: argparse.Namespace) -> int:
    require_writable(args.report, "--report")
    if not sys.platform.startswith("linux"):
        raise UserError("hostile.py bounds memory as Linux does; start it on Linux.")
    sys.path.insert(0, str(Path(__file__).parent))
    from hostile_parts.session import Session, chosen

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left behind
    folder = Path(tempfile.mkdtemp(prefix="hostile_"))
    try:
        session = Session(folder, TOOLS)
        attacks = chosen(args.only, args.name, args.short, args.first)
        rows, left = session.run(attacks, args.short, args.show, args.minutes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if args.report:
        atomic_write(args.report, json.dumps(rows, indent=1).encode())
    code = print_table(rows)
    if left is not None:
        print(f"the time is over; go on with --first {left}")
    return code


def print_table(rows: list[dict]) -> int:
    """Print what failed and a table of kinds and entries; return the exit code."""
    if not rows:
        raise UserError("There is no such attack.")
    for row in rows:
        for fault in row["faults"]:
            print(f"FAILED  {row['kind']}: {row['attack']} -> {row['entry']}: {fault}")
    count: dict[tuple[str, str], Counter] = defaultdict(Counter)
    for row in rows:
        count[row["kind"], row["entry"]][row["ended"]] += 1
    print(f"{'file':14} {'given to':24} {'refused':>8} {'harmless':>8} {'FAILED':>7}")
    for (kind, entry), ends in count.items():
        shown = "".join(f"{ends[e]:>{w}} " for e, w in (("refused", 8), ("harmless", 8)))
        print(f"{kind:14} {entry:24} {shown}{ends['failed']:>7}")
    failed = sum(row["ended"] == "failed" for row in rows)
    print(f"{len(rows)} pairs, {failed} failed")
    return 1 if failed else 0


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
