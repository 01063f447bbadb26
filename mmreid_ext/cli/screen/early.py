"""Add the option of the screen and shorten warnings about settings, before PyTorch is loaded."""

from __future__ import annotations

import os
import sys
import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmreid_ext.cli.ranks import rank_of_process


def add_screen_arguments(parser: ArgumentParser) -> None:
    """Add ``--verbose``."""
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="show everything that goes to the log file, as MMEngine does",
    )


def speaks(args: Namespace) -> bool:
    """Whether this process is the one of its run that writes to the screen."""
    return args.launcher == "none" or rank_of_process(os.environ) == 0


@contextmanager
def brief_warnings(args: Namespace) -> Iterator[None]:
    """Show warnings inside as one line each, without the source that raised them.

    Args:
        args: Arguments of the tool, with ``verbose`` and ``launcher``.
    """
    before = warnings.showwarning

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if speaks(args):
            sys.stderr.write(f"warning: {message}\n")

    if not args.verbose:
        warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before
