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

from mmreid_ext.errors import UserError

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
        UserError: If the ranks of one run were told to work alone, or if a Slurm job of several
            tasks was started without srun.
    """
    found = _started_by(environ)
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
            _write_torchrun_report(Path(error_file), text)
        sys.exit(code)
    rank = _number(os.environ, "RANK") or _number(os.environ, "SLURM_PROCID")
    if _started_by(os.environ) == "none":
        if not alone:
            return False
    elif rank > 0:
        time.sleep(HEAD_START)  # where rank 0 failed too, the launcher ends this process meanwhile
    if code == 1:
        sys.exit(text)
    sys.stderr.write(f"{text}\n")
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
