"""Say at the end of a run where things are, and what comes next."""

from __future__ import annotations

import shlex
from pathlib import Path

from mmengine.runner import Runner

from mmreid_ext.stopping.attempts import attempts_at_first

from .start import log_file_of, shown_path


def ending(runner: Runner, config: str) -> str:
    """Return the last lines of a training.

    Args:
        runner: The runner.
        config: The configuration as it was named on the command line.
    """
    checkpoint = last_checkpoint(runner.work_dir)
    lines = [("log", log_file_of(runner)), ("scalars", scalars_of(runner))]
    if checkpoint is not None:
        shown = shown_path(checkpoint)
        lines += [("checkpoint", shown)]
        lines += [("best", shown_path(path)) for path in best_checkpoints(runner.work_dir)]
        command = ["python", "tools/test.py", config, shown, "--out", "results.json"]
        lines += [("next", shlex.join(command))]
        search = ["python", "tools/search.py", "QUERY", "--gallery", "PHOTOS", "--model", shown]
        lines += [("or", shlex.join(search))]
    return "\n" + "\n".join(f"{name:<12}{text}" for name, text in lines if text)


def scalars_of(runner: Runner) -> str:
    """Return the file of all logged values, empty if there is none."""
    path = Path(runner._log_dir, "vis_data", "scalars.json")
    return shown_path(path) if path.is_file() else ""


def last_checkpoint(work_dir: str) -> Path | None:
    """Return the newest checkpoint of a run as its folder names it."""
    pointer = Path(work_dir, "last_checkpoint")
    if not pointer.is_file():
        return None
    path = Path(work_dir, Path(pointer.read_text().strip()).name)
    return path if path.is_file() else None


def best_checkpoints(work_dir: str) -> list[Path]:
    """List the checkpoints of the best validations."""
    return sorted(Path(work_dir).glob("best_*.pth"))


def how_to_resume(runner: Runner, arguments: list[str], why: str = "interrupted") -> str:
    """Return what an interrupted training tells its user.

    Args:
        runner: The runner.
        arguments: The whole command line after the tool's name.
        why: How the training has ended.
    """
    checkpoint = last_checkpoint(runner.work_dir)
    if checkpoint is None:
        if why == "interrupted":
            return "interrupted before the first checkpoint was written; nothing is left to resume"
        return f"{why}; no checkpoint is there yet, so start it again as before"
    arguments = _without_file(arguments)
    command = ["python", "tools/train.py", *arguments]
    if runner.world_size > 1 and "--launcher" in arguments:  # tools/dist_train.sh puts it there
        place = arguments.index("--launcher")
        config, rest = arguments[:place], arguments[place + 2 :]
        restarts = attempts_at_first()
        again = ["--max-restarts", str(restarts)] if restarts else []
        command = ["tools/dist_train.sh", *config, str(runner.world_size), *again, *rest]
    if "--resume" not in arguments:
        command.append("--resume")
    return f"{why}; {shown_path(checkpoint)} is the last checkpoint, go on with\n" + (
        f"  {shlex.join(command)}"
    )


def _without_file(arguments: list[str]) -> list[str]:
    """Leave out the file of ``--resume FILE``: the run has left newer ones."""
    kept = [one for one in arguments if not one.startswith("--resume=")]
    if "--resume" in kept and not (kept[kept.index("--resume") + 1 :] or ["-"])[0].startswith("-"):
        del kept[kept.index("--resume") + 1]
    return kept
