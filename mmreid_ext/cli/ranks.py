"""Ranks of one run, as the launcher describes them in the environment.

Which launcher started this process, and which of several failing ranks tells the user.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from mmreid_ext.errors import UserError
from mmreid_ext.stopping.attempts import attempts_left, verdict

_MPI = {
    "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK",  # Open MPI
    "PMI_SIZE": "PMI_RANK",  # MPICH, Intel MPI
    "MV2_COMM_WORLD_SIZE": "MV2_COMM_WORLD_RANK",  # MVAPICH
}
"""Variables of a process that mpirun started: number of processes, and which one it is."""

INTERRUPTED = 130
"""What a shell reports for a program that Ctrl-C ended."""

HEAD_START = 3.0
"""Seconds that rank 0 is given to speak (and its launcher to end the others) under Slurm."""


def choose_launcher(
    asked: str | None, configured: str | None = None, environ: Mapping[str, str] = os.environ
) -> str:
    """Return the launcher of this process: the one asked for, or the one that started it.

    Ranks that torchrun or srun started join one run even where nobody said ``--launcher``: each on
    its own would train everything, all into one folder.

    Args:
        asked: Value of ``--launcher``, None without it.
        configured: ``launcher`` of the configuration.
        environ: Environment variables.

    Raises:
        UserError: If the ranks of one run were told to work alone, if a Slurm job of several tasks
            was started without srun, or if mpirun started several processes.
    """
    found = _started_by(environ)
    if asked in (None, "none") and found == "none" and _in_mpi(environ) > 1:
        raise UserError(
            f"mpirun started {_in_mpi(environ)} processes, each of which would do all the work in "
            "the same folder; start them by tools/dist_train.sh, tools/dist_test.sh or torchrun, "
            "or set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT and say --launcher pytorch."
        )
    if asked == "none" and found == "pytorch":
        raise UserError(
            f"--launcher none: torchrun started {environ['WORLD_SIZE']} ranks, each of which would "
            "do all the work in the same folder; leave --launcher out, or start one process."
        )
    if asked is not None:
        return asked
    if configured not in (None, "none"):
        return configured
    if found == "none" and _in_batch_step(environ):
        raise UserError(
            f"SLURM_NTASKS={environ['SLURM_NTASKS']}, but srun did not start this process: start "
            "it by srun (tools/slurm_train.sh), or say --launcher none for a single process."
        )
    return found


def require_one_process(remedy: str, environ: Mapping[str, str] = os.environ) -> None:
    """Check that a tool that does all the work in one process wasn't started as several.

    Args:
        remedy: What to do instead.
        environ: Environment variables.

    Raises:
        UserError: If it was: each would write the same files.
    """
    found, number = _started_by(environ), _in_mpi(environ)
    if found == "pytorch":
        number = _number(environ, "WORLD_SIZE")
    elif found == "slurm":
        number = _number(environ, "SLURM_STEP_NUM_TASKS") or _number(environ, "SLURM_NTASKS")
    if number > 1:
        raise UserError(
            f"{_LAUNCHERS[found]} started {number} processes, but this tool is one: each would do "
            f"all the work and write the same files; {remedy}."
        )


_LAUNCHERS = {"pytorch": "torchrun", "slurm": "srun", "none": "mpirun"}


def _in_mpi(environ: Mapping[str, str]) -> int:
    return max(_number(environ, name) for name in _MPI)


def _started_by(environ: Mapping[str, str]) -> str:
    if _number(environ, "WORLD_SIZE") > 1 and "RANK" in environ:
        return "pytorch"
    # sbatch and salloc set SLURM_NTASKS, too; only srun numbers the tasks of a step.
    in_step = "SLURM_STEP_ID" in environ or "SLURM_STEPID" in environ
    tasks = _number(environ, "SLURM_STEP_NUM_TASKS") or _number(environ, "SLURM_NTASKS")
    if in_step and tasks > 1 and "SLURM_PROCID" in environ:
        return "slurm"
    return "none"


def _in_batch_step(environ: Mapping[str, str]) -> bool:
    in_step = "SLURM_STEP_ID" in environ or "SLURM_STEPID" in environ
    return not in_step and _number(environ, "SLURM_NTASKS") > 1 and "SLURM_PROCID" in environ


def rank_of_process(environ: Mapping[str, str] = os.environ) -> int:
    """Return the rank that the launcher gave to this process, 0 where nothing launched it."""
    if _started_by(environ) == "none":
        return 0
    return _number(environ, "RANK") or _number(environ, "SLURM_PROCID")


def is_launched(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process is one of several ranks that torchrun or srun started."""
    return _started_by(environ) != "none"


def _number(environ: Mapping[str, str], name: str) -> int:
    value = environ.get(name, "")
    return int(value) if value.isdigit() else 0


def report_once(text: str, code: int, alone: bool = True) -> bool:
    """End the program with ``text``; of several ranks one shows it, the others end in silence.

    Under torchrun it goes into torchrun's own report, the last thing on the screen.

    Args:
        text: What to show.
        code: Exit code.
        alone: Whether to do so for a single process, too.

    Returns:
        False for a single process with ``alone=False``; otherwise it does not return.
    """
    error_file = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if error_file and _number(os.environ, "WORLD_SIZE") > 1:
        if _is_first(Path(error_file).parents[1] / "spoken_for"):
            if (
                attempts_left() and verdict() is None
            ):  # torchrun shows the report of the last attempt only
                sys.stderr.write(f"{text}\n")
            _write_torchrun_report(Path(error_file), text)
        sys.exit(code)
    names = ("RANK", "SLURM_PROCID", *_MPI.values())
    rank = max(_number(os.environ, name) for name in names)
    if _started_by(os.environ) == "none" and _in_mpi(os.environ) < 2:
        if not alone:
            return False
    elif rank > 0:
        time.sleep(HEAD_START)  # where rank 0 failed too, the launcher ends this process meanwhile
    if code == 1:
        sys.exit(text)
    sys.stderr.write(f"{text}\n")
    sys.exit(code)


def end_now(text: str) -> NoReturn:
    """End the process at once: other threads may wait for ever for the rank that is gone.

    Args:
        text: What to say, once per machine.
    """
    try:
        report_once(text, 1)
        sys.stderr.write(f"{text}\n")  # a rank that no launcher started
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def report_interrupt(text: str) -> NoReturn:
    """End the program after Ctrl-C, which reaches all ranks; the first one shows ``text``."""
    report_stop(text, INTERRUPTED)


def report_stop(text: str, code: int) -> NoReturn:
    """End the program where all ranks end alike; the first one shows ``text``.

    Args:
        text: What to show.
        code: Exit code.
    """
    if rank_of_process(os.environ) == 0:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    sys.exit(code)


def _is_first(mark: Path) -> bool:
    """Whether this is the first rank of this machine to get here."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:  # nowhere to leave a mark: better twice than not at all
        return True
    return True


def _write_torchrun_report(path: Path, text: str) -> None:
    # The format of torch.distributed.elastic's `record`.
    details = dict(py_callstack=text, timestamp=str(int(time.time())))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(message=dict(message=text, extraInfo=details))))
