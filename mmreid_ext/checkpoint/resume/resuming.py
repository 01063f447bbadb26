"""Continue a run exactly where it was interrupted, or stop and say why.

MMEngine resumes what it finds: without an optimiser's state it begins with a fresh one, without a
checkpoint with a fresh network, with other schedules it takes the old ones, all in silence.

Installed by ``mmreid_ext.compat.enable_safe_checkpoints``, so these rules hold for every loop and
however the run was started. They are written for users in ``docs/resuming.md``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any

from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmengine.runner import runner as mm_runner

from mmreid_ext.checkpoint.finite_weights import require_finite
from mmreid_ext.checkpoint.warning import warn
from mmreid_ext.distributed import broadcast_object, is_main
from mmreid_ext.errors import UserError
from mmreid_ext.output_files.atomic import sweep_leftovers
from mmreid_ext.shorten import shorten

from .exactness import Resuming, require_exact
from .latest import POINTER, check_given, newest_good, resumable_files
from .meta import for_mmengine
from .own_files import has_own_name, is_beside
from .run_record import KEY, describe_run

_resuming: ContextVar[Resuming | None] = ContextVar("resuming", default=None)


def install() -> None:
    """Put the rules around MMEngine's runner. Call it after ``fine_tuning.install``."""
    Runner.train = _choosing(Runner.train)
    Runner.load_or_resume = _choosing(Runner.load_or_resume)
    Runner.resume = _checked(Runner.resume)
    Runner.load_checkpoint = _no_more_than_needed(Runner.load_checkpoint)
    Runner.save_checkpoint = _recorded(Runner.save_checkpoint)
    mm_runner._load_checkpoint = _read_for_resuming(mm_runner._load_checkpoint)


def _choosing(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def choose_then_call(runner: Runner, *args: Any, **kwargs: Any) -> Any:
        trains = call.__name__ == "train"
        if not runner._has_loaded and (trains or runner._resume):
            _choose_checkpoint(runner)
        return call(runner, *args, **kwargs)

    return choose_then_call


def _choose_checkpoint(runner: Runner) -> None:
    """Before data are read: which file to go on from; all ranks take the one of rank 0."""
    found: tuple[str | None, UserError | None] = (None, None)
    if is_main():
        try:
            found = (_look_around(runner), None)
        except UserError as error:
            found = (None, error)
    path, problem = broadcast_object(found)
    if problem is not None:
        raise problem
    if path is not None:
        runner._load_from = path


def _look_around(runner: Runner) -> str | None:
    if runner._load_from is not None:
        check_given(str(runner._load_from), bool(runner._resume))
    work_dir = Path(runner.work_dir)
    folders = [work_dir]
    for hook in runner.hooks:
        out_dir = str(getattr(hook, "out_dir", None) or "")
        if isinstance(hook, CheckpointHook) and out_dir and "://" not in out_dir:
            folders += [Path(out_dir), Path(out_dir) / work_dir.name]
    removed = [name for folder in dict.fromkeys(folders) for name in _sweep(runner, folder)]
    if removed:
        print_log(f"Removed what killed processes left: {', '.join(removed)}.", logger="current")
    if runner._resume:
        return newest_good(work_dir, folders) if runner._load_from is None else None
    earlier = [path.name for path in resumable_files(folders)]
    if earlier:
        warn(
            f"{work_dir} holds checkpoints of an earlier run ({shorten(earlier)}). "
            "This run starts from the beginning and replaces files of the same name; "
            "--resume (resume=True) continues the earlier one, "
            "--work-dir (work_dir) names another folder."
        )
    return None


def _sweep(runner: Runner, folder: Path) -> list[str]:
    """Remove halves of checkpoints, as this run names them, and of the file that names the last."""
    hooks = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]

    def is_own(name: str) -> bool:
        return name == POINTER or is_beside(name) or any(has_own_name(h, name) for h in hooks)

    return sweep_leftovers(folder, is_own, wrote_nothing=True)


def _checked(resume: Callable[..., None]) -> Callable[..., None]:
    @wraps(resume)
    def check_and_resume(
        runner: Runner,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: Any = "default",
    ) -> None:
        resuming = Resuming(runner, filename, resume_optimizer, resume_param_scheduler)
        token = _resuming.set(resuming)
        try:
            resume(runner, filename, resume_optimizer, resume_param_scheduler, map_location)
        finally:
            _resuming.reset(token)
        runner.resumed_from = resuming.filename
        for schedule, end in resuming.ends:
            schedule.end = end
        restore = getattr(runner.train_loop, "restore_progress", None)
        if restore is not None:
            restore(resuming.record)

    return check_and_resume


def _read_for_resuming(read: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(read)
    def read_and_check(filename: str, *args: Any, **kwargs: Any) -> Any:
        checkpoint, resuming = read(filename, *args, **kwargs), _resuming.get()
        if resuming is not None:
            require_exact(resuming, checkpoint)
        return checkpoint

    return read_and_check


def _no_more_than_needed(load: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(load)
    def load_for_resuming(runner: Runner, *args: Any, **kwargs: Any) -> Any:
        checkpoint = load(runner, *args, **kwargs)
        return checkpoint if _resuming.get() is None else for_mmengine(checkpoint)

    return load_for_resuming


def _recorded(save: Callable[..., None]) -> Callable[..., None]:
    signature = inspect.signature(save)

    @wraps(save)
    def record_and_save(runner: Runner, *args: Any, **kwargs: Any) -> None:
        given = signature.bind(runner, *args, **kwargs)
        meta = dict(given.arguments.get("meta") or {})
        require_finite(runner, meta.get("iter", runner.iter))
        record = describe_run(runner)
        if record is not None:
            given.arguments["meta"] = {**meta, KEY: record}
        save(*given.args, **given.kwargs)

    return record_and_save
