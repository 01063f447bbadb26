"""Files that are either the old version or the new one, never half of one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from mmreid_ext.errors import UserError

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)\.tmp")


@contextmanager
def atomic_open(path: str | os.PathLike, mode: str = "w", **kwargs: Any) -> Iterator[IO]:
    """Open a file for writing that takes its place only when it is complete.

    The content goes to a hidden file in the same folder (the same file system, so that the final
    rename is atomic), reaches the disk, and then replaces ``path``. After an exception ``path`` is
    as it was and the hidden file is gone; after a power cut ``path`` is as it was too.

    Args:
        path: The file to write. A symbolic link is followed. Its folder must exist.
        mode: ``"w"`` or ``"wb"``.
        **kwargs: Passed on to ``open`` (``encoding``, ``newline``).

    Yields:
        The file object to write to.

    Raises:
        ValueError: If ``mode`` is neither ``"w"`` nor ``"wb"``: appending can't be atomic.
    """
    if mode not in ("w", "wb"):
        raise UserError(f"atomic_open writes whole files: mode must be 'w' or 'wb', not {mode!r}.")
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, mode, **kwargs) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        _discard(temporary)
        raise
    _sync_folder(target.parent)


def atomic_write(path: str | os.PathLike, data: bytes) -> None:
    """Write ``data`` to ``path`` as :func:`atomic_open` does.

    Args:
        path: The file to write.
        data: Its whole content.
    """
    with atomic_open(path, "wb") as file:
        file.write(data)


@contextmanager
def one_at_a_time(path: str | os.PathLike) -> Iterator[None]:
    """Let one process at a time change the files of a folder, where the system can lock folders.

    Args:
        path: A file of the folder. A symbolic link is followed.
    """
    with folder_lock(Path(os.path.realpath(path)).parent):
        yield


@contextmanager
def folder_lock(folder: str | os.PathLike, wait: bool = True) -> Iterator[None]:
    """Hold a folder for this process, where the system can lock folders.

    The lock ends with the process, however that ends, and leaves no file.

    Args:
        folder: It must exist. The holder may delete it.
        wait: Whether to wait for another holder. Defaults to True.

    Raises:
        BlockingIOError: If another process holds it and ``wait`` is False.
        FileNotFoundError: If it is not there, or its last holder has deleted it.
    """
    if os.name != "posix":
        yield
        return
    import fcntl  # POSIX only

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:  # some network file systems refuse
            pass
        if not os.path.samestat(os.fstat(descriptor), os.stat(folder)):
            raise FileNotFoundError(f"{os.fspath(folder)} was deleted by its last holder")
        yield
    finally:
        os.close(descriptor)


def sweep_leftovers(
    folder: str | os.PathLike,
    is_own: Callable[[str], bool] = lambda name: True,
    wrote_nothing: bool = False,
) -> list[str]:
    """Remove the hidden files that killed processes left in a folder.

    Files of processes that live stay. Another machine's processes look dead from here: call it for
    a folder that one run writes to.

    Args:
        folder: Where to look, not below it. It may be missing.
        is_own: Whether a name, without what hides the file, is one that the caller gives. Others
            stay. Defaults to all.
        wrote_nothing: Whether this process has written nothing there yet. In a container that is
            started again, the killed process often had the same number as this one.

    Returns:
        Names of the removed files.
    """
    if os.name != "posix" or not os.path.isdir(folder):
        return []
    removed = []
    for path in sorted(Path(folder).glob(".*.tmp")):
        found = _TEMPORARY.fullmatch(path.name)
        if found is None or not is_own(found["name"]):
            continue
        process = int(found["process"])
        if process_lives(process) and not (wrote_nothing and process == os.getpid()):
            continue
        try:
            path.unlink()
        except OSError:  # somebody else was quicker, or it isn't ours to remove
            continue
        removed.append(path.name)
    return removed


def _discard(temporary: Path) -> None:
    """Remove an incomplete file, and its content too where a forked process holds it open."""
    with suppress(OSError):
        os.truncate(temporary, 0)
    with suppress(OSError):
        temporary.unlink()


def process_lives(process: int) -> bool:
    """Whether a process of this machine, or of this container, has this number."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system can sync folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems refuse; the file itself is complete all the same
        pass
    finally:
        os.close(descriptor)
