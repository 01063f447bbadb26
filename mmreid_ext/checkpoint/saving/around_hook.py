"""Put the saving of a run around MMEngine's checkpoint hook.

The hook decides what is saved when. Here its files are collected, written (beside the training,
where ``background`` says so), and removed.
"""

from __future__ import annotations

import builtins
import io
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.hooks import CheckpointHook, checkpoint_hook
from mmengine.runner import Runner
from mmengine.runner import checkpoint as mm_checkpoint
from mmengine.runner import runner as mm_runner

from mmreid_ext.checkpoint.resume.own_files import OwnFilesOnly
from mmreid_ext.errors import UserError
from mmreid_ext.output_files.atomic import atomic_open, atomic_write

from . import scalar_log
from .one_save import OneSave, current_save
from .outcome import begin, end, is_beside, look, memory_of, settle
from .settings import take_settings
from .snapshot import noting, snapshot
from .stream import plain_checkpoint, write_checkpoint
from .superfluous import note_superfluous, still_superfluous
from .sweep import sweeping

_SERIES = "_save_checkpoint_with_step"


def install() -> None:
    """Replace the methods of ``CheckpointHook`` and the functions that they end in."""
    CheckpointHook.__init__ = take_settings(CheckpointHook.__init__)
    for name in (_SERIES, "_save_best_checkpoint"):
        setattr(CheckpointHook, name, collected(getattr(CheckpointHook, name)))
    CheckpointHook.before_train = sweeping(CheckpointHook.before_train)
    CheckpointHook.after_train_iter = _looking(CheckpointHook.after_train_iter)
    CheckpointHook.after_train = _settled(CheckpointHook.after_train)
    Runner.train = _ended(Runner.train)
    checkpoint_hook.open = _open  # shadows the builtin in that module
    mm_runner.save_checkpoint = _save_checkpoint
    mm_checkpoint.apply_to = mm_runner.apply_to = _noting_copies(mm_runner.apply_to)
    scalar_log.install()


def collected(save: Callable[..., None]) -> Callable[..., None]:
    """Let a method of the hook collect its files; write and remove them when it is through."""
    in_series = save.__name__ == _SERIES

    @wraps(save)
    def collect_and_write(hook: CheckpointHook, runner: Runner, *args: Any, **kwargs: Any) -> None:
        idle = not in_series and not hook.save_best
        if idle or not hasattr(hook, "file_backend"):  # Runner.val() without training has none
            save(hook, runner, *args, **kwargs)
            return
        outer = current_save.get()
        if outer is None:
            settle(hook)
        one = OneSave(hook, runner, in_series)
        one.removals += still_superfluous(hook, runner) if in_series else []
        backend = hook.file_backend
        hook.file_backend = OwnFilesOnly(backend, hook, partial(_note, one))
        token = current_save.set(one)
        try:
            save(hook, runner, *args, **kwargs)
        finally:
            current_save.reset(token)
            hook.file_backend = backend
        one.keep(hook)
        if outer is None:
            begin(one)
        else:
            outer.inner.append(one)

    return collect_and_write


def _note(one: OneSave, path: str) -> None:
    one.removals.append(path)
    note_superfluous(one.runner, path)


def _looking(after_iter: Callable[..., None]) -> Callable[..., None]:
    @wraps(after_iter)
    def look_then_call(hook: CheckpointHook, *args: Any, **kwargs: Any) -> None:
        look(hook)
        after_iter(hook, *args, **kwargs)

    return look_then_call


def _settled(after_train: Callable[..., None]) -> Callable[..., None]:
    @wraps(after_train)
    def settle_then_call(hook: CheckpointHook, runner: Runner) -> None:
        settle(hook)
        missing = getattr(hook, "missing", None)
        if missing is not None:
            raise UserError(
                f"the run has ended, and its last checkpoint could not be written ({missing}): "
                f"make room in {hook.out_dir} and resume (--resume); the run goes on from the last "
                "whole checkpoint."
            )
        after_train(hook, runner)

    return settle_then_call


def _ended(train: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(train)
    def train_then_end(runner: Runner, *args: Any, **kwargs: Any) -> Any:
        try:
            return train(runner, *args, **kwargs)
        finally:
            end(runner)

    return train_then_end


class _Deferred(io.StringIO):
    """Text of ``last_checkpoint``, which follows the checkpoint that it names."""

    def __init__(self, one: OneSave, path: Any) -> None:
        super().__init__()
        self.one, self.path = one, path

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if kind is None:
            self.one.writes.append(partial(atomic_write, self.path, self.getvalue().encode()))
        super().__exit__(kind, *rest)


def _open(file: Any, mode: str = "r", **kwargs: Any) -> Any:
    one = current_save.get()
    if mode == "w" and one is not None:
        return _Deferred(one, file)
    opener = atomic_open if mode in ("w", "wb") else builtins.open
    return opener(file, mode, **kwargs)


def _save_checkpoint(
    checkpoint: Any, filename: str, file_client_args: Any = None, backend_args: Any = None
) -> None:
    """Write a runner's checkpoint, at once or with the files of the hook's call."""
    one = current_save.get()
    plain = plain_checkpoint(checkpoint)
    local = file_client_args is None and isinstance(
        get_file_backend(filename, backend_args=backend_args), LocalBackend
    )
    if one is not None and is_beside(one.hook):
        plain = snapshot(plain, one.fresh, memory_of(one.hook))
    if local:
        write = partial(write_checkpoint, plain, filename)
    else:
        other = mm_checkpoint.save_checkpoint
        write = partial(other, plain, filename, file_client_args, backend_args)
    if one is None:
        write()
    else:
        one.writes.append(write)
        one.fresh = []


def _noting_copies(apply_to: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(apply_to)
    def apply_and_note(data: Any, expr: Callable, apply_func: Callable) -> Any:
        one = current_save.get()
        note = apply_func if one is None else noting(apply_func, one.fresh)
        return apply_to(data, expr, note)

    return apply_and_note
