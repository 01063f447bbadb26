"""Write a checkpoint between two iterations, whenever somebody asks for one."""

from __future__ import annotations

import os
from typing import Any

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmreid_ext.checkpoint.resume.latest import POINTER
from mmreid_ext.checkpoint.resume.own_files import BESIDE
from mmreid_ext.distributed import broadcast_object, is_main
from mmreid_ext.errors import UserError
from mmreid_ext.output_files.atomic import atomic_write

from .one_save import iterations_done, remove_if_possible
from .outcome import at_once, settle
from .superfluous import forget_removed, note_superfluous, still_superfluous


def save_now(runner: Runner) -> str:
    """Write a checkpoint of this moment, from which the run resumes exactly.

    All ranks call it at the same moment: between two iterations, or in ``after_train_iter`` of a
    hook of priority ``LOWEST``, when schedules and averages have made their step. It returns on all
    ranks when the file is complete and ``last_checkpoint`` names it. A checkpoint that is being
    written in the background is waited for.

    A run that counts iterations gets its ordinary file, which replaces an older one where
    ``max_keep_ckpts`` says so. A run that counts epochs gets ``iter_N.pth``, also in the middle of
    an epoch; it goes when the next checkpoint is there. Optimiser and schedules are in it, whatever
    the hook's settings are.

    Args:
        runner: The run. Its training has begun.

    Returns:
        The path of the file.

    Raises:
        UserError: On all ranks, if the file can't be written.
    """
    hook = next((hook for hook in runner.hooks if isinstance(hook, CheckpointHook)), None)
    done = iterations_done(runner)
    if hook is not None:
        settle(hook)
    with at_once():
        if hook is None or hook.by_epoch:
            return _save_beside(runner, hook, done)
        return _save_in_series(runner, hook, done)


def _save_in_series(runner: Runner, hook: CheckpointHook, done: int) -> str:
    wanted = hook.save_optimizer, hook.save_param_scheduler
    hook.save_optimizer = True
    hook.save_param_scheduler = runner.param_schedulers is not None
    try:
        hook._save_checkpoint_with_step(runner, done, dict(epoch=runner.epoch, iter=done))
    finally:
        hook.save_optimizer, hook.save_param_scheduler = wanted
    return str(hook.last_ckpt)


def _save_beside(runner: Runner, hook: CheckpointHook | None, done: int) -> str:
    """Write a file outside the hook's own series."""
    folder = str(runner.work_dir if hook is None else hook.out_dir)
    path = os.path.join(folder, BESIDE.format(done))
    earlier = [] if hook is None else still_superfluous(hook, runner)
    if hook is not None:
        note_superfluous(runner, path)
    problem = None
    try:
        _write(runner, hook, done, path)
    except OSError as error:
        problem = UserError(
            f"the checkpoint of iteration {done} can't be written ({error}): the checkpoints "
            f"before it in {folder} are whole; make room, or name another folder (--work-dir)."
        )
    problem = broadcast_object(problem)  # and all ranks wait for the writer
    if problem is not None:
        raise problem
    if hook is not None and is_main():
        for one in earlier:
            if one != path:
                remove_if_possible(hook.file_backend.remove, one)
        forget_removed(hook, runner)
    return path


def _write(runner: Runner, hook: CheckpointHook | None, done: int, path: str) -> None:
    meta: dict[str, Any] = dict(epoch=runner.epoch, iter=done)
    runner.save_checkpoint(
        os.path.dirname(path),
        os.path.basename(path),
        getattr(hook, "file_client_args", None),
        save_param_scheduler=runner.param_schedulers is not None,
        meta=meta,
        by_epoch=False,
        backend_args=getattr(hook, "backend_args", None),
    )
    if is_main():
        atomic_write(os.path.join(runner.work_dir, POINTER), path.encode())
