"""A folder for what the processes that load pictures need to speak with their parent.

Python makes such a folder for each of them, and one that is killed leaves it in ``/tmp``. Here they
share a folder of their parent. It goes when that ends; if that was killed, at the next start.

Sockets lie in it, whose paths may have about a hundred characters. Where the folder of temporary
files has a long name, ``/tmp`` takes its place; a loader would wait for ever otherwise.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from multiprocessing import process, util
from pathlib import Path

from .atomic import folder_lock

_PREFIX = "mmreid_loading_"
_LONGEST = 104 - len(f"/{_PREFIX}12345678/listener-12345678") - 1
"""Bytes of a folder's name that leave room for a socket's: its path has 104 on macOS."""
_SHORT = "/tmp"
_held: dict[int, ExitStack] = {}
"""Locks by process: a forked one holds that of its parent, but the folder isn't its own."""


def share_loading_folder() -> None:
    """Make the folder of this process, unless it has one, and remove those of killed processes.

    Call it before a loader starts its processes: they learn of it when they start. Nothing is done
    where folders can't be locked.
    """
    config = process.current_process()._config  # type: ignore[attr-defined]
    if os.name != "posix" or config.get("tempdir") is not None:
        return
    sweep_loading_folders()
    try:
        config["tempdir"] = _make()
    except OSError:  # no room, or somebody was quicker: Python makes folders of its own
        return


def sweep_loading_folders(where: str | os.PathLike | None = None) -> list[str]:
    """Remove the folders whose processes have all gone, and return their names.

    Args:
        where: Folder of temporary files. Defaults to the one that is used.
    """
    return remove_unused_folders(sorted(Path(where or _place()).glob(f"{_PREFIX}*")))


def remove_unused_folders(folders: Iterable[Path]) -> list[str]:
    """Remove those of this user's folders that no process holds by its lock; return their names.

    Args:
        folders: Candidates; links and folders of other users stay.
    """
    removed = []
    for folder in folders:
        try:
            if folder.lstat().st_uid != os.getuid() or folder.is_symlink():
                continue
            with folder_lock(folder, wait=False):
                shutil.rmtree(folder)
        except OSError:  # it is in use, or gone
            continue
        removed.append(folder.name)
    return removed


def _place() -> str:
    usual = tempfile.gettempdir()
    fits = len(os.fsencode(usual)) <= _LONGEST
    return usual if fits or not os.access(_SHORT, os.W_OK) else _SHORT


def _make() -> str:
    folder = tempfile.mkdtemp(prefix=_PREFIX, dir=_place())
    stack = ExitStack()
    stack.enter_context(folder_lock(folder, wait=False))  # to the end of this process
    _held[os.getpid()] = stack
    util.Finalize(None, _remove, args=(folder, shutil.rmtree), exitpriority=-100)
    return folder


def _remove(folder: str, rmtree: Callable[..., None]) -> None:
    rmtree(folder, ignore_errors=True)
