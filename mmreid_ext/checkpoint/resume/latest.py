"""Choose the checkpoint of a folder that a run continues.

``last_checkpoint`` names it. The file that it names may be damaged, or the folder may have moved;
then the newest good one takes its place, and the user is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmreid_ext.checkpoint.integrity import Header, read_header, verify
from mmreid_ext.checkpoint.safe_load import safe_load
from mmreid_ext.checkpoint.warning import warn
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.shorten import shorten

from .exactness import refuse_without

POINTER = "last_checkpoint"


def newest_good(work_dir: Path, folders: Sequence[Path]) -> str:
    """Find the checkpoint to go on from, and say so where it isn't the one that was named.

    Args:
        work_dir: Folder of the run, where ``last_checkpoint`` is.
        folders: Where its checkpoints are: the same, and ``out_dir`` of the checkpoint hook.

    Raises:
        MissingFileError: If there is none, or none without damage.
    """
    named = _named(work_dir)
    if named is not None and "://" in named:  # an object store; MMEngine's loader knows it
        return named
    problems = []
    if named is None:
        problems.append(f"{work_dir / POINTER} is missing or empty")
    elif _lies_elsewhere(named, work_dir):
        problems.append(f"{POINTER} names {named}, which is not there or not in this folder")
    for path in _in_order(named, work_dir, folders):
        problem = _problem_of(path)
        if problem is None:
            if problems:
                warn(f"resume: {'; '.join(problems)}. The run goes on from {path}.")
            return str(path)
        problems.append(problem)
    raise MissingFileError(
        f"resume: nothing to resume in {work_dir}: {shorten(problems, '; ')}. Start without resume "
        "(--resume), or name a checkpoint (--resume FILE) or another folder (--work-dir)."
    )


def check_given(path: str, resume: bool) -> None:
    """Look at a file that was named, before data are read.

    Args:
        path: What ``load_from`` says; addresses are left to MMEngine.
        resume: Whether a run is to go on from it.

    Raises:
        MissingFileError: If it isn't there.
        UserError: If it is damaged or no checkpoint, or lacks the state of an optimiser.
    """
    if "://" in path or path.startswith(("torchvision:", "open-mmlab:", "mmcls:")):
        return
    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        raise MissingFileError(f"load_from={path}: there is no such file.")
    verify(path)
    header = read_header(path)
    if header is None:
        loaded = safe_load(path, map_location="cpu")  # an older format, or no checkpoint
        if not isinstance(loaded, Mapping):
            raise UserError(
                f"{path} holds a {type(loaded).__name__}, no checkpoint: expected a dictionary "
                "with a state_dict."
            )
    elif resume:
        refuse_without(path, [] if "optimizer" in header.keys else ["optimizer"])


def resumable_files(folders: Sequence[Path]) -> list[Path]:
    """Checkpoints that hold an optimiser's state (best ones hold none), the newest first.

    The time is the one that the file tells: that of the file system is lost in a copy, and a higher
    number in a name can be that of an earlier run.
    """
    headers = [(path, read_header(path)) for path in _files(folders)]
    found = [
        (str(header.meta.get("time")), _iteration(header), path)
        for path, header in headers
        if header is not None and _can_be_resumed(header)
    ]
    return [path for *_, path in sorted(found, reverse=True)]


def _files(folders: Sequence[Path]) -> list[Path]:
    return [p for f in dict.fromkeys(folders) for p in sorted(f.glob("*.pt*")) if p.is_file()]


def _named(work_dir: Path) -> str | None:
    """What ``last_checkpoint`` says."""
    pointer = work_dir / POINTER
    if not pointer.is_file():
        return None
    return pointer.read_text(encoding="utf-8", errors="replace").strip("\0 \n\r\t") or None


def _place_of(named: str, work_dir: Path) -> Path:
    """The named file; in this folder, if it is here: a folder can be moved, or copied."""
    here = work_dir / Path(named).name
    return here if here.is_file() else Path(named)


def _lies_elsewhere(named: str, work_dir: Path) -> bool:
    place = _place_of(named, work_dir)
    if not place.is_file():
        return True
    return Path(named).is_absolute() and place.resolve() != Path(named).resolve()


def _in_order(named: str | None, work_dir: Path, folders: Sequence[Path]) -> Iterator[Path]:
    first = None if named is None else _place_of(named, work_dir)
    if first is not None and first.is_file():
        yield first
    # Those whose header can't be read come last: to be named, if nothing else is left.
    unreadable = [path for path in _files(folders) if read_header(path) is None]
    for path in (*resumable_files(folders), *unreadable):
        if first is None or path.resolve() != first.resolve():
            yield path


def _problem_of(path: Path) -> str | None:
    try:
        verify(path)
    except (UserError, OSError):
        return f"{path} is damaged or incomplete"
    header = read_header(path)
    if header is None:
        return f"{path} is damaged, or no checkpoint"
    return None if _can_be_resumed(header) else f"{path} holds no state of an optimiser"


def _can_be_resumed(header: Header) -> bool:
    return "optimizer" in header.keys and _iteration(header) >= 0


def _iteration(header: Header) -> int:
    number = header.meta.get("iter")
    return number if isinstance(number, int) else -1
