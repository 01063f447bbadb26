"""Prove that conversions compute what the other programs do, side by side with these programs.

python tools/converters/prove.py --sources CLONES
python tools/converters/prove.py --sources CLONES --only torchreid --out table.md

Each network gets random weights, is saved, converted as by tools/convert.py, and run beside ours on
the same images. In float64 unit embeddings may differ by 1e-10; what float32 makes of that is shown
beside it. Settings that are made wrong on purpose must differ by 1e-3. It runs in an environment of
its own that has the other programs' packages (torchvision, timm, yacs); CLONES holds
clones of deep-person-reid, fast-reid, MetaBIN, reid-strong-baseline, TransReID, CLIP-ReID,
SOLIDER-REID and PaddleClas, which needs PADDLE_PYTHON (see proofs/paddleclas.py). What isn't there
is left out, and said.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from proofs.side_by_side import TOLERANCE, USUAL, VISIBLE, compare, record

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable
from mmreid_ext.output_files.atomic import atomic_write

PROGRAMS = (
    *("image_libraries", "torchreid", "fastreid", "strong_baseline", "metabin"),
    *("transreid", "clip_reid", "solider", "paddleclas"),
)
"""Modules of proofs/, each in a process of its own: some programs have packages of one name."""

MARK = "proved: "


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sources", type=Path, required=True, help="folder of the clones")
    parser.add_argument("--only", metavar="TEXT", help="networks whose name holds this")
    parser.add_argument("--out", type=Path, help="file to write the table to")
    parser.add_argument(
        "--record",
        type=Path,
        help="write what networks compute to this folder, for tests, instead of comparing",
    )
    parser.add_argument("--program", choices=PROGRAMS, help=argparse.SUPPRESS)
    return parser.parse_args()


def run(args: argparse.Namespace) -> int:
    require_writable(args.out, "--out")
    if not args.sources.is_dir():
        raise UserError(f"--sources {args.sources}: no such folder; clone the programs into one.")
    if args.program:
        prove(args)
        return 0
    if args.record:
        args.record.mkdir(parents=True, exist_ok=True)
        for program in PROGRAMS:
            list(in_process(program, args))
        return 0
    found = [one for program in PROGRAMS for one in in_process(program, args)]
    if not found:
        raise UserError(f"--only {args.only}: no network of such a name could be run.")
    table = "\n".join([*lines(found), ""])
    print(table)
    if args.out:
        atomic_write(args.out, table.encode())
    return int(any(not passed(one) for one in found))


def prove(args: argparse.Namespace) -> None:
    """Compare the networks of a program; prints one line each."""
    for name, case in import_module(f"proofs.{args.program}").cases(args.sources).items():
        if args.only and args.only not in name:
            continue
        if args.record and case.outside is None:
            file = args.record / f"{re.sub('[^a-z0-9]+', '_', name.lower())}.json"
            atomic_write(file, (json.dumps(record(case)) + "\n").encode())
            print(f"Written: {file}", flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            result = {"name": name, **compare(case, Path(folder))}
        print(MARK + json.dumps(result), flush=True)


def in_process(program: str, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Compare the networks of a program in a process of its own."""
    command = [sys.executable, __file__, "--sources", str(args.sources), "--program", program]
    command += ["--only", args.only] if args.only else []
    command += ["--record", str(args.record)] if args.record else []
    done = subprocess.run(command, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            yield json.loads(line.removeprefix(MARK))
    if done.returncode:
        print(f"{program}: left out from here on.\n{done.stderr[-2000:]}", file=sys.stderr)


def passed(result: dict[str, Any]) -> bool:
    """Whether embeddings agree in float64, and every wrong setting shows."""
    wrong = result["controls"].values()
    return result["double"] <= TOLERANCE and all(value >= VISIBLE for value in wrong)


def lines(found: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the rows of the table."""
    yield "| network | weights | float64 | float32 | with a wrong setting | |"
    yield "|---|---:|---:|---:|---|---|"
    for one in found:
        wrong = "; ".join(f"{name} {value:.2g}" for name, value in one["controls"].items())
        verdict = "ok" if passed(one) else "**FAILS**"
        verdict += "" if one["guessed"] else ", needs `--from`"
        verdict += "" if one["single"] <= USUAL else ", float32 rounds by more than usual"
        numbers = f"{one['weights']} | {one['double']:.1e} | {one['single']:.1e}"
        yield f"| {one['name']} | {numbers} | {wrong} | {verdict} |"


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
