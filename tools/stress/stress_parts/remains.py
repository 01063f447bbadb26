"""What processes leave behind: other processes, descriptors, shared memory, temporary files.

Processes and shared memory are looked for where Linux shows them, in ``/proc`` and ``/dev/shm``.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from mmreid_ext.output_files.loading_folder import sweep_loading_folders

PATIENCE = 15.0
"""Seconds in which remains may go: a loader's process looks for its parent every five."""

_PROCESSES, _MEMORY = Path("/proc"), Path("/dev/shm")


class Remains:
    """Compare what is there with what was there when this was made.

    Args:
        temporary: Folder that the processes are told to put temporary files into.
    """

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self._memory = set(shared_memory())
        self._files = set(_names(temporary))
        self._descriptors = set(descriptors())

    def left(self, sessions: Collection[int], patience: float = PATIENCE) -> list[str]:
        """Wait until nothing is left, or the patience is over.

        Args:
            sessions: Sessions of the processes, see :func:`os.setsid`.
            patience: Seconds to wait.

        Returns:
            A line for each thing that is left.
        """
        deadline = time.monotonic() + patience
        while found := self._look(sessions):
            if not processes_of(sessions):
                sweep_loading_folders(self.temporary)  # as the next start does
            if time.monotonic() >= deadline:
                break
            time.sleep(0.25)
        return found

    def _look(self, sessions: Collection[int]) -> list[str]:
        found = [f"process {pid} ({name})" for pid, name in processes_of(sessions)]
        new = set(shared_memory()) - self._memory
        found += [f"shared memory {name}" for name in sorted(new) if not _is_held(name)]
        found += [f"temporary {name}" for name in sorted(set(_names(self.temporary)) - self._files)]
        own = sorted(set(descriptors()) - self._descriptors)
        return found + [f"descriptor {name}" for name in own]


def processes_of(sessions: Collection[int]) -> list[tuple[int, str]]:
    """Return number and name of the living processes of some sessions."""
    found = []
    for pid, stat in _statuses():
        name, _, rest = stat.partition("(")[2].rpartition(")")
        fields = rest.split()
        if fields[0] not in "ZX" and int(fields[3]) in sessions:
            found.append((pid, name))
    return found


def children_of(pid: int) -> list[int]:
    """Return the living children of a process."""
    found = []
    for child, stat in _statuses():
        fields = stat.rpartition(")")[2].split()
        if fields[0] not in "ZX" and int(fields[1]) == pid:
            found.append(child)
    return found


def _statuses() -> Iterator[tuple[int, str]]:
    for entry in _names(_PROCESSES):
        if entry.isdigit():
            text = _read(lambda entry=entry: (_PROCESSES / entry / "stat").read_text())
            if text:
                yield int(entry), text


def shared_memory() -> list[str]:
    """Return the names of this user's pieces of shared memory."""
    owner = os.getuid() if hasattr(os, "getuid") else None
    names = _names(_MEMORY)
    return [n for n in names if _read(lambda n=n: (_MEMORY / n).stat().st_uid) == owner]


def _is_held(name: str) -> bool:
    """Whether a living process has a piece of shared memory open: then it is in use, not left."""
    path = _MEMORY / name
    status = _read(lambda: path.stat())
    if status is None:
        return False
    # A semaphore is made under another name, which its maker's map shows for ever.
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    mapped = re.compile(rf"\s{device} {status.st_ino}\s")
    for pid in _names(_PROCESSES):
        if pid.isdigit():
            maps = _read(lambda pid=pid: (_PROCESSES / pid / "maps").read_text()) or ""
            if mapped.search(maps) or str(path) in descriptors(pid):
                return True
    return False


def descriptors(pid: int | str = "self") -> list[str]:
    """Return what the open descriptors of a process are: number and target."""
    folder = _PROCESSES / str(pid) / "fd"
    found = []
    for number in _names(folder):
        target = _read(lambda number=number: os.readlink(folder / number))
        if target and not target.endswith(f"{os.getpid()}/fd"):
            found.append(target if pid != "self" else f"{number} {target}")
    return found


def _names(folder: Path) -> Sequence[str]:
    return _read(lambda: sorted(os.listdir(folder))) or ()


def _read(read: Callable):
    try:
        return read()
    except OSError:  # it has gone meanwhile, or is another user's
        return None
