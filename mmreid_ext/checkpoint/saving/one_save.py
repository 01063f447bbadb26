"""The files of one call of a checkpoint hook, in an order that a crash can't hurt."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmreid_ext.checkpoint.warning import warn

from .full_disk import is_full, is_short, make_room, room_can_help
from .superfluous import KEY as SUPERFLUOUS

current_save: ContextVar[OneSave | None] = ContextVar("current_save", default=None)
"""The innermost call that is collecting."""

_OF_THE_HOOK = ("last_ckpt", "best_ckpt_path", "best_ckpt_path_dict")
_OF_THE_HUB = ("keep_ckpt_ids", "last_ckpt", "best_", SUPERFLUOUS)


class OneSave:
    """The files of one call: collected while MMEngine runs, then written and removed.

    The order: the new files, each under a hidden name until it is complete; ``last_checkpoint``;
    those of calls inside this one; only then what has become superfluous goes. Where the disk is
    full, the oldest superfluous file goes first, see :func:`~.full_disk.make_room`.

    Args:
        hook: The hook.
        runner: The run.
        in_series: Whether it writes one of the checkpoints that a run resumes from.

    Attributes:
        writes: What writes a file, in order.
        removals: Files that are superfluous when all are written.
        fresh: Tensors that were copied from a device for the file under way.
        inner: Calls inside of this one.
        problem: The error of a full disk; later files of this call were not written.
        has_run: Whether all was written.
        told: Whether the user knows the problem.
    """

    def __init__(self, hook: CheckpointHook, runner: Runner, in_series: bool) -> None:
        self.hook, self.runner, self.in_series = hook, runner, in_series
        self.iteration, self.last_whole = iterations_done(runner), hook.last_ckpt
        self.has_run = self.told = False
        self.writes: list[Callable[[], None]] = []
        self.removals: list[str] = []
        self.fresh: list[Any] = []
        self.inner: list[OneSave] = []
        self.problem: OSError | None = None
        self._before = _state(hook, runner)

    def run(self) -> None:
        """Write, then remove.

        Raises:
            OSError: Any but that of a full disk.
        """
        try:
            for write in self.writes:
                self._write(write)
        except OSError as error:
            if not is_full(error):
                raise
            self.problem = error
            return
        finally:
            self.writes = []  # they hold a copy of all weights
        self.has_run = True
        for one in self.inner:
            one.run()
        for path in self.removals:
            remove_if_possible(self.hook.file_backend.remove, path)

    def keep(self, hook: CheckpointHook) -> None:
        """Remove nothing that the hook counts on: the same step can be saved again."""
        best = getattr(hook, "best_ckpt_path_dict", {}).values()
        series = map(self._path, getattr(hook, "keep_ckpt_ids", ()))
        in_use = {hook.last_ckpt, getattr(hook, "best_ckpt_path", None), *best, *series}
        self.removals = [path for path in self.removals if path not in in_use]

    def all(self) -> Iterator[OneSave]:
        """Yield this call and those inside of it."""
        yield self
        for one in self.inner:
            yield from one.all()

    def undo(self) -> None:
        """Let the hook and the message hub know the files of before; call it on all ranks."""
        attributes, info = self._before
        for name, value in attributes.items():
            setattr(self.hook, name, value)
        hub = self.runner.message_hub.runtime_info
        for name in [name for name in hub if name.startswith(_OF_THE_HUB)]:
            del hub[name]
        hub.update(info)
        if hasattr(self.hook, "keep_ckpt_ids"):
            there = [step for step in info.get("keep_ckpt_ids", []) if self._is_there(step)]
            self.hook.keep_ckpt_ids = type(self.hook.keep_ckpt_ids)(there, self.hook.max_keep_ckpts)
            hub["keep_ckpt_ids"] = list(there)

    def _write(self, write: Callable[[], None]) -> None:
        last = str(self._before[0]["last_ckpt"])
        if os.path.isfile(last) and is_short(os.path.dirname(last), os.path.getsize(last)):
            self._make_room()
        while True:
            try:
                return write()
            except OSError as error:
                if not room_can_help(error) or not self._make_room():
                    raise

    def _make_room(self) -> bool:
        hook = self.hook
        if not self.in_series or not isinstance(hook.file_backend, LocalBackend):
            return False
        series = [self._path(step) for step in self._before[1].get("keep_ckpt_ids", [])]
        kept = [path for path in series if path not in self.removals]
        return make_room(self.removals, kept, self.runner.work_dir)

    def _path(self, step: int) -> str:
        name = self.hook.filename_tmpl.format(step)
        return str(self.hook.file_backend.join_path(self.hook.out_dir, name))

    def _is_there(self, step: int) -> bool:
        return bool(self.hook.file_backend.isfile(self._path(step)))


def iterations_done(runner: Runner) -> int:
    """Count the finished iterations: between two of them, and in hooks after one.

    MMEngine's own loops don't tell these moments apart; in theirs it must be a hook after one.
    """
    done = getattr(runner._train_loop, "steps_done", None)
    return runner.iter + 1 if done is None else int(done)


def remove_if_possible(remove: Callable[[str], None], path: str) -> None:
    """Remove a file that isn't needed; if somebody was quicker, or it fails, training continues."""
    try:
        remove(path)
    except FileNotFoundError:
        return
    except OSError as error:
        warn(f"The superfluous checkpoint {path} can't be removed ({error}).")


def _state(hook: CheckpointHook, runner: Runner) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the hook and the message hub know of files."""
    attributes = {name: getattr(hook, name) for name in _OF_THE_HOOK if hasattr(hook, name)}
    copied = {k: dict(v) if isinstance(v, dict) else v for k, v in attributes.items()}
    hub = runner.message_hub.runtime_info
    info = {name: value for name, value in hub.items() if name.startswith(_OF_THE_HUB)}
    return copied, {k: list(v) if isinstance(v, list) else v for k, v in info.items()}
