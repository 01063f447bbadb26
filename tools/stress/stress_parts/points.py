"""Count what a process does to the files of a folder, and let it die at one of these places."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_EVENTS = {
    "open": "open",
    "os.rename": "rename",
    "os.remove": "remove",
    "os.rmdir": "rmdir",
    "os.truncate": "truncate",
    "os.link": "link",
}
"""Audit events of Python, and our names. ``os.replace`` is a rename there."""

DIED = 9
"""Exit code of a process that died at a place."""

_WRITING = os.O_WRONLY | os.O_RDWR


class Points:
    """Watch this process from now on; it can't be undone.

    The places are before each opening for writing, rename and removal of a checkpoint's file, and
    before and after each fsync of one. At a fsync the process can also die with half of the
    file: that is what a power cut leaves of a file that hasn't reached the disk.

    Args:
        folder: Only its files count, not those of its folders.
        die_at: Number of the place to die at. None watches only.
        write: Called with the name of every place as it is reached.
    """

    def __init__(self, folder: Path, die_at: int | None, write: Callable[[str], None]) -> None:
        self.folder, self.die_at, self.write = os.path.realpath(folder), die_at, write
        self.number = 0
        self._fsync = os.fsync
        os.fsync = self._watched_fsync  # has no audit event
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple) -> None:
        kind = _EVENTS.get(event)
        if kind is None or kind == "open" and not _writes(arguments):
            return
        path = arguments[1] if kind in ("rename", "link") else arguments[0]
        if self._counts(path):
            self._reach(f"{kind} {os.path.basename(os.fsdecode(path))}")

    def _watched_fsync(self, descriptor: Any) -> None:
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        path = os.readlink(f"/proc/self/fd/{number}")
        if os.path.realpath(path) == self.folder:
            self._reach("fsync folder")
        elif self._counts(path):
            name = os.path.basename(path)
            self._reach(f"half {name}", lambda: os.truncate(number, os.fstat(number).st_size // 2))
            self._reach(f"fsync {name}")
        self._fsync(descriptor)

    def _counts(self, path: Any) -> bool:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        parent, name = os.path.split(os.path.abspath(os.fsdecode(path)))
        is_checkpoint = ".pth" in name or "last_checkpoint" in name
        return is_checkpoint and os.path.realpath(parent) == self.folder

    def _reach(self, name: str, damage: Callable[[], None] | None = None) -> None:
        self.number += 1
        self.write(name)
        if self.number == self.die_at:
            if damage is not None:
                damage()
            os._exit(DIED)


def _writes(arguments: tuple) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & _WRITING)
