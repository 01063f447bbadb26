"""Where stress tools work, and what they say at the end."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.output_files import atomic_write, require_writable
from mmreid_ext.shorten import one_line, several


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where runs are made and where reports go."""
    parser.add_argument("--folder", metavar="DIR", help="where the runs are made; it must exist")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table")


def check_report_arguments(args: argparse.Namespace) -> None:
    """Refuse what can't be written, before the work.

    Raises:
        UserError: If a file can't be written, or the folder isn't there.
    """
    require_writable(args.json, "--json")
    require_writable(args.markdown, "--markdown")
    if args.folder is not None and not Path(args.folder).is_dir():
        raise UserError(f"--folder {args.folder}: there is no such folder; make it first.")


@contextmanager
def workplace(args: argparse.Namespace, problems: Sequence[str]) -> Iterator[Path]:
    """Make a folder for runs. It stays if there are problems at the end, and is deleted otherwise.

    Processes that run when an error or SIGTERM ends the block are killed.
    """
    from .runs import end_all

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="mmreid_stress_", dir=args.folder))
    try:
        yield folder
    finally:
        end_all()
        if not problems:
            shutil.rmtree(folder)


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Write a table of Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def write(args: argparse.Namespace, text: str, figures: dict[str, Any]) -> None:
    """Print a report and write its files.

    Args:
        args: The parsed arguments of :func:`add_report_arguments`.
        text: The report in Markdown.
        figures: What the JSON file gets, besides the versions.
    """
    import torch

    print(text)
    versions = dict(python=platform.python_version(), torch=torch.__version__)
    if args.markdown is not None:
        atomic_write(args.markdown, f"{text}\n".encode())
    if args.json is not None:
        atomic_write(args.json, json.dumps(versions | figures, indent=1).encode() + b"\n")


def verdict(problems: Sequence[str], folder: Path) -> int:
    """Print the problems and where their runs are, and return the exit code."""
    for problem in problems:
        print(f"- {one_line(problem, 500)}")
    if problems:
        print(f"{several(len(problems), 'problem')}; the runs are in {folder}")
    return 1 if problems else 0
