"""Start the writing of a save, and tell how it ended: on all ranks, and never too late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmreid_ext.checkpoint.warning import warn
from mmreid_ext.distributed import broadcast_object, is_main
from mmreid_ext.errors import UserError

from .host_memory import HostMemory
from .one_save import OneSave
from .settings import STOP, settings_of
from .superfluous import forget_removed
from .writer import Writer

_writer = Writer()
_now: ContextVar[bool] = ContextVar("now", default=False)


@contextmanager
def at_once() -> Iterator[None]:
    """Write in the foreground inside the block, where a full disk is an error."""
    token = _now.set(True)
    try:
        yield
    finally:
        _now.reset(token)


def is_beside(hook: CheckpointHook) -> bool:
    """Whether a hook's files are written while training goes on."""
    return settings_of(hook).background and not _now.get()


def memory_of(hook: CheckpointHook) -> HostMemory:
    """Return where the copies of a hook's checkpoints are."""
    if not hasattr(hook, "host_memory"):
        hook.host_memory = HostMemory()
    return hook.host_memory


def begin(one: OneSave) -> None:
    """Write the files of a call, all ranks together; in the background, only begin it."""
    beside = is_beside(one.hook)
    one.hook.under_way = one
    if is_main():
        (_writer.start if beside else _writer.run_here)(one.run)
    if not beside:
        settle(one.hook)


def look(hook: CheckpointHook) -> None:
    """After an iteration: raise or tell what the writer has met with, if it is through.

    Raises:
        Exception: What the writer raised, on rank 0.
        UserError: If the disk is full and the run is to stop then.
    """
    one = getattr(hook, "under_way", None)
    if one is None or not is_main() or _writer.busy:
        return
    _writer.wait()
    for each in one.all():
        _tell(each, each.problem)


def settle(hook: CheckpointHook) -> None:
    """Wait for the writer, all ranks together, and go back where it has failed.

    Raises:
        Exception: What the writer raised, on rank 0.
        UserError: The same on other ranks. If the disk is full and the run is to stop then.
    """
    one = getattr(hook, "under_way", None)
    if one is None:
        return
    hook.under_way = None
    error: Exception | None = None
    if is_main():
        try:
            _writer.wait()
        except Exception as raised:  # noqa: BLE001 (told on all ranks)
            error = raised
        memory_of(hook).take_back()
    text = None if error is None else f"{type(error).__name__}: {error}"
    text, problems = broadcast_object((text, [each.problem for each in one.all()]))
    if error is not None:
        raise error
    if text is not None:
        raise UserError(f"rank 0 can't write a checkpoint ({text}); its log says more.")
    for each, problem in zip(one.all(), problems, strict=True):
        if problem is not None:
            each.undo()
        if each.in_series and (each.has_run or problem is not None):
            hook.missing = problem
        _tell(each, problem)
    forget_removed(hook, one.runner)


def end(runner: Runner) -> None:
    """Wait for the writer at the end of a run, however it ends; an error is told."""
    try:
        _writer.wait()
    except Exception as error:  # noqa: BLE001 (the run ends anyhow)
        warn(f"The checkpoint that was being written is not complete ({error}).")
    for hook in runner.hooks:
        one = getattr(hook, "under_way", None)
        for each in () if one is None else one.all():
            if each.problem is not None and not each.told:
                warn(_message(each, each.problem))


def _tell(one: OneSave, problem: OSError | None) -> None:
    if problem is None or one.told:
        return
    one.told = True
    if _now.get() or settings_of(one.hook).disk_full == STOP:
        raise UserError(
            f"{_message(one, problem)} The run stops here; when there is room, --resume goes on."
        )
    warn(
        f"{_message(one, problem)} Training goes on without it; make room, or let "
        "default_hooks.checkpoint.disk_full='stop' end the run."
    )


def _message(one: OneSave, problem: OSError) -> str:
    last = one.last_whole or "there is none yet"
    return (
        f"DISK FULL: the checkpoint after iteration {one.iteration} can't be written to "
        f"{one.hook.out_dir} ({problem}). The last whole one: {last}."
    )
