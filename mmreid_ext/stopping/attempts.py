"""Notes that one attempt of a run leaves to the next, where torchrun or Slurm start it again.

torchrun gives all attempts of a run one folder on each machine, for its reports of errors. Notes
lie there: when the first attempt began, and that further attempts are of no use.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import NamedTuple

BEGAN = "MMREID_RUN_BEGAN"
"""Environment variable by which ``tools/dist_train.sh`` tells its ranks when it was started."""

_IMPORTED = time.time()
_NOTE_OF_BEGINNING, _NOTE_OF_END = "mmreid_ext_began", "mmreid_ext_over.json"


class Verdict(NamedTuple):
    """Why a run is over.

    Attributes:
        code: Exit code of its ranks.
        text: What the user is told; empty if he has been told.
    """

    code: int
    text: str


def restarts_before() -> int:
    """Count the earlier attempts of this run, those of torchrun or those of Slurm's job."""
    return max(elastic_restarts(), _number("SLURM_RESTART_COUNT"))


def elastic_restarts() -> int:
    """Count the earlier attempts of this run by torchrun."""
    return _number("TORCHELASTIC_RESTART_COUNT") if _in_torchrun() else 0


def attempts_left() -> int:
    """Count the attempts that torchrun would make after this one."""
    return max(attempts_at_first() - elastic_restarts(), 0)


def attempts_at_first() -> int:
    """Return how many times torchrun may start this run again, counted from its first attempt."""
    return _number("TORCHELASTIC_MAX_RESTARTS") if _in_torchrun() else 0


def note_beginning() -> float:
    """Return when the first attempt of this run began, in seconds since 1970; note it if new."""
    if BEGAN in os.environ:
        return float(os.environ[BEGAN])
    began, folder = process_start(), _folder()
    if folder is None:
        return began
    try:
        with open(folder / _NOTE_OF_BEGINNING, "x") as note:
            note.write(repr(began))
    except OSError:
        try:
            return float((folder / _NOTE_OF_BEGINNING).read_text())
        except (OSError, ValueError):  # no place for notes, or another rank writes it just now
            return began
    return began


def give_up(code: int, text: str) -> None:
    """Note that this run is over, so that no further attempt begins. The first note counts.

    Args:
        code: Exit code of further attempts.
        text: What they show.
    """
    folder = _folder()
    if folder is None or verdict() is not None:
        return
    own = folder / f"{_NOTE_OF_END}.{os.getpid()}"
    try:
        own.write_text(json.dumps([code, text]))
        os.replace(own, folder / _NOTE_OF_END)
    except OSError:
        own.unlink(missing_ok=True)


def verdict() -> Verdict | None:
    """Return how an earlier attempt, or another rank, has ended this run; None if it goes on."""
    folder = _folder()
    return None if folder is None else verdict_in(folder)


def verdict_in(folder: Path) -> Verdict | None:
    """Return what is noted in a folder of torchrun.

    Args:
        folder: Where the folders ``attempt_0``, ``attempt_1``, ... are.
    """
    try:
        code, text = json.loads((folder / _NOTE_OF_END).read_text())
    except (OSError, ValueError):
        return None
    return Verdict(int(code), str(text))


def process_start() -> float:
    """Return when this process began, in seconds since 1970."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        up = float(Path("/proc/uptime").read_text().split()[0])
        began = time.time() - (up - int(fields[19]) / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return _IMPORTED
    # In some containers the two files are of different machines.
    return began if 0 <= _IMPORTED - began < 60 else _IMPORTED


def _folder() -> Path | None:
    """Folder of torchrun for this run on this machine: .../attempt_N/RANK/error.json."""
    file = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if not file or not _in_torchrun():
        return None
    folder = Path(file).parents
    return folder[2] if len(folder) > 2 and folder[2].is_dir() else None


def _in_torchrun() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ


def _number(name: str) -> int:
    value = os.environ.get(name, "")
    return int(value) if value.isdigit() else 0
