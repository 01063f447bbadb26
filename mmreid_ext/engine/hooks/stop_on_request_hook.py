"""End a training on request, with a checkpoint from which it goes on exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from mmengine.hooks import EMAHook, Hook
from mmengine.runner import BaseLoop, Runner
from torch import nn

from mmreid_ext.checkpoint.saving import save_now
from mmreid_ext.checkpoint.saving.now import iterations_done
from mmreid_ext.engine.resumable_loop import ResumableLoop
from mmreid_ext.engine.stopping.agreement import Agreement
from mmreid_ext.engine.stopping.loader_workers import spare_loader_workers
from mmreid_ext.errors import RunStopped
from mmreid_ext.registry import HOOKS
from mmreid_ext.stopping.durations import seconds_of
from mmreid_ext.stopping.request import SIGNALS, StopRequest


@HOOKS.register_module()
class StopOnRequestHook(Hook):
    """Stop when a signal or a time limit says so, all ranks after the same iteration.

    The training writes its ordinary checkpoint, and ``runner.train()`` raises
    :class:`mmreid_ext.errors.RunStopped`. A request that comes during a validation ends the
    validation, if the loop is one of ours: the resumed run makes up for it. A run that is in its
    last iteration goes on to its end.

    ``tools/train.py`` has this hook always. From Python, signals are left alone unless a
    configuration asks for it. The handlers of before return when ``runner.train()`` does.

    Args:
        signals: Names of signals.
        time_limit: When to stop, counted from the beginning of the training: ``'3h50m'``. Defaults
            to no limit.

    Example:
        >>> custom_hooks = [dict(type='mmreid_ext.StopOnRequestHook', time_limit='3h50m')]
    """

    priority = "LOWEST"

    def __init__(self, signals: Sequence[str] = SIGNALS, time_limit: str | None = None) -> None:
        self.request = StopRequest(signals)
        self.request.limit = None if time_limit is None else seconds_of(time_limit)
        self._belongs_to_caller = False
        spare_loader_workers()
        self._agreement: Agreement | None = None
        self._begun_at, self._step_began, self._longest = 0, 0.0, 0.0
        self._common_batches = 0

    def listen_to(self, request: StopRequest) -> None:
        """Take the requests from here; the caller has opened it and closes it."""
        if request.limit is None:
            request.limit = self.request.limit
        self.request = request
        self._belongs_to_caller = True

    def before_run(self, runner: Runner) -> None:
        """Listen while the training loop runs, however it ends."""
        loop = runner._train_loop
        if not isinstance(loop, BaseLoop):  # a validation or a test
            return
        run: Callable[[], nn.Module] = loop.run

        def run_and_listen() -> nn.Module:
            if self._belongs_to_caller:
                return run()
            self.request.began = time.time()
            with self.request:
                return run()

        loop.run = run_and_listen  # type: ignore[method-assign]

    def before_train(self, runner: Runner) -> None:
        """Stop before the first iteration, where there was a request while the run started."""
        self._agreement = Agreement()
        self._begun_at = runner.iter
        reason = self._agreement.now(self.request.reason())
        if reason:
            self._stop(runner, reason, done=runner.iter)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Take the time."""
        self._step_began = time.monotonic()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Stop where a rank was asked to."""
        if self._agreement is None or runner.iter + 1 >= runner.max_iters:
            return
        self._longest = max(self._longest, time.monotonic() - self._step_began)
        reason = self._agreement.at_last_step(self.request.reason(2 * self._longest))
        if reason:
            self._stop(runner, reason, iterations_done(runner))

    def before_val_epoch(self, runner: Runner) -> None:
        """Find out how many batches all ranks have in common."""
        self._common_batches = 0
        if self._agreement is not None and self._can_be_repeated(runner):
            batches = len(runner.val_loop.dataloader)
            self._common_batches = self._agreement.now(batches, lowest=True)

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence | None = None,
    ) -> None:
        """End a validation which the resumed run will make up for."""
        if self._agreement is None or batch_idx >= self._common_batches:
            return
        reason = self._agreement.at_last_step(self.request.reason(2 * self._longest))
        if not reason:
            return
        for hook in runner.hooks:
            if isinstance(hook, EMAHook):
                hook._swap_ema_parameters()  # averages are in the network's place
        runner.train_loop.validated = False
        self._stop(runner, reason, iterations_done(runner))

    def after_train(self, runner: Runner) -> None:
        """Leave no message under way."""
        if self._agreement is not None:
            self._agreement.close()
        self._agreement = None

    def _can_be_repeated(self, runner: Runner) -> bool:
        """Whether a validation can be ended: not the one at the end, nor one of other loops."""
        loop = runner._train_loop
        ours = isinstance(loop, ResumableLoop) and loop.iter < loop.max_iters
        return ours and all(map(_leaves_network_alone, runner.hooks))

    def _stop(self, runner: Runner, reason: int, done: int) -> None:
        agreement, words = self._agreement, self.request.words(reason)
        if agreement is not None:
            agreement.close()
        if done > self._begun_at:
            save_now(runner)
        self.request.ignore()
        if agreement is not None:
            agreement.now(0)  # nobody ends, and has the others ended, before all ignore signals
        moment = (
            f"after iteration {done}" if done > self._begun_at else "before its first iteration"
        )
        raise RunStopped(f"{words}: the run has stopped {moment}")


def _leaves_network_alone(hook: Hook) -> bool:
    """Whether a validation that this hook has seen begin may end without its knowledge."""
    kind, own = type(hook), ("mmengine.", "mmreid_ext.", "mmpretrain.")
    methods = ("before_val", "before_val_epoch")
    watches = any(getattr(kind, name) is not getattr(Hook, name) for name in methods)
    return not watches or kind.__module__.startswith(own)
