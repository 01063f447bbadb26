"""Test stacks, one after another, and write a table; what tools/test_stacks.sh starts.

Needs Python's own modules only, so that any interpreter can start it.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from stacks_parts.definitions import NAMES, STACKS
from stacks_parts.rows import Row, failed, table
from stacks_parts.testing import try_stack

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable
from mmreid_ext.output_files.atomic import atomic_write


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="test_stacks.sh", description=__doc__.partition(";")[0] + "."
    )
    parser.add_argument("--only", metavar="NAME", action="append", help=", ".join(NAMES))
    parser.add_argument("--report", type=Path, help="Markdown file for the table")
    parser.add_argument(
        "--remove", action="store_true", help="delete each environment after its row"
    )
    return parser.parse_args()


def run(args: argparse.Namespace) -> int:
    require_writable(args.report, "--report")
    for name in args.only or ():
        if name not in NAMES:
            raise UserError(f"--only {name}: no such stack; there are {', '.join(NAMES)}.")
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for stack in STACKS:
        if args.only and stack.name not in args.only:
            continue
        rows.append(try_stack(stack, cache))
        if args.remove:
            shutil.rmtree(cache / stack.name, ignore_errors=True)
        if args.report:  # after each, so that an end in between costs no row
            atomic_write(args.report, table(rows).encode())
    print(table(rows))
    return int(failed(rows))


def cache_folder() -> Path:
    """Return where environments are kept."""
    given = os.environ.get("MMREID_STACKS")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else home / "mmreid_ext" / "stacks"


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
