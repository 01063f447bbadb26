"""Make room for a checkpoint without ever risking the ones that are there."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from mmreid_ext.checkpoint.integrity import read_header, verify
from mmreid_ext.checkpoint.resume.latest import POINTER
from mmreid_ext.errors import UserError

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_RESERVE = 2**20
"""Bytes beside a checkpoint: ``last_checkpoint``, logs."""


def is_full(error: OSError) -> bool:
    """Whether an error says that a disk, a quota or the allowed size of a file is exhausted."""
    return error.errno in (*_NO_SPACE, errno.EFBIG)


def room_can_help(error: OSError) -> bool:
    """Whether the write may succeed once other files are gone."""
    return error.errno in _NO_SPACE


def is_short(folder: str, size: int) -> bool:
    """Whether a folder's disk has visibly no room for a file of a size in bytes."""
    try:
        return shutil.disk_usage(folder).free < size + _RESERVE
    except OSError:
        return False


def make_room(superfluous: Sequence[str], kept: Sequence[str], work_dir: str) -> bool:
    """Remove the oldest superfluous checkpoint before the new one is written.

    Only if every other one that the run keeps is whole, there is one, and ``last_checkpoint`` names
    one of them: if the write then fails, they are left.

    Args:
        superfluous: Files that go when the new one is complete, the oldest first.
        kept: Those that stay, without the new one.
        work_dir: Folder of ``last_checkpoint``.

    Returns:
        Whether a file was removed.
    """
    oldest = next((path for path in superfluous if os.path.isfile(path)), None)
    if oldest is None or not kept or not all(map(is_whole, kept)):
        return False
    pointer = Path(work_dir) / POINTER
    named = pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else ""
    if not any(os.path.realpath(named) == os.path.realpath(path) for path in kept):
        return False
    try:
        os.unlink(oldest)
    except OSError:
        return False
    return True


def is_whole(path: str) -> bool:
    """Whether a run could go on from a file: checksums and state of the optimiser are there."""
    try:
        verify(path)
    except (UserError, OSError):
        return False
    header = read_header(path)
    return header is not None and "optimizer" in header.keys
