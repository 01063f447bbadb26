"""Measure what a rank does itself in an iteration, and tell rank 0 at each logging interval."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import torch
from mmengine.hooks import Hook, LoggerHook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmreid_ext.distributed.waits import seconds_waited

from .slow_rank import SlowRanks, Times
from .watcher import Watch


class StepTimesHook(Hook):
    """Tell rank 0 how long this rank waits for pictures and computes; rank 0 says who is slow.

    It reads the clock four times an iteration. Reports go through the watch, not through
    collectives. On a GPU the forward pass is timed by events of one iteration per interval.

    Args:
        watch: Connection to the other ranks.
    """

    priority = "VERY_LOW"

    def __init__(self, watch: Watch) -> None:
        self.watch, self.ranks = watch, SlowRanks(watch.hosts)
        watch.on_times = self.ranks.report
        self._clock: Clock = Clock()
        self._pictures: list[float] = []
        self._forward: list[float] = []
        self._ended: float | None = None

    def before_train(self, runner: Runner) -> None:
        """Time the forward passes of the network."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        device = next((one.device for one in model.parameters()), torch.device("cpu"))
        self._clock = GPUClock() if device.type == "cuda" else Clock()
        model.register_forward_pre_hook(lambda *_: self._clock.begin())
        model.register_forward_hook(lambda *_: self._clock.end())
        loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self.interval = loggers[0].interval if loggers else 50

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """End the wait for pictures."""
        if self._ended is not None:
            self._pictures.append(time.perf_counter() - self._ended)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """End the iteration; at a logging interval, report."""
        self._forward += self._clock.take()
        if self.every_n_train_iters(runner, self.interval):
            self._report(runner)
            self._clock.restart()
        self._ended = time.perf_counter()

    def _report(self, runner: Runner) -> None:
        if not self._pictures or not self._forward:
            return
        times = Times(median(self._pictures), median(self._forward))
        self._pictures, self._forward = [], []
        if self.watch.rank > 0:
            self.watch.send(times=times._asdict())
            return
        self.ranks.report(0, times._asdict())
        text = self.ranks.verdict()
        if text is not None:
            runner.logger.warning(text)


class Clock:
    """Times the forward passes of an iteration on a CPU, without the waits for other ranks."""

    def __init__(self) -> None:
        self._began = self._waited = self._total = 0.0

    def begin(self) -> None:
        """A forward pass begins."""
        self._began, self._waited = time.perf_counter(), seconds_waited()

    def end(self) -> None:
        """It ends."""
        waited = seconds_waited() - self._waited
        self._total += time.perf_counter() - self._began - waited

    def take(self) -> list[float]:
        """Return the seconds of the iteration that ends, as far as they are known."""
        total, self._total = self._total, 0.0
        return [total]

    def restart(self) -> None:
        """Begin another interval."""


class GPUClock(Clock):
    """Times the forward passes of one iteration per interval on a GPU, without waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self._pairs: list[tuple[Any, Any]] = []
        self._measures = True

    def begin(self) -> None:
        """Mark the begin of a forward pass in the GPU's queue."""
        if self._measures:
            self._pairs.append((_mark(), None))

    def end(self) -> None:
        """Mark its end."""
        if self._measures and self._pairs:
            self._pairs[-1] = (self._pairs[-1][0], _mark())

    def take(self) -> list[float]:
        """Return the seconds of the measured iteration once the GPU has done it."""
        self._measures = False
        done = [pair for pair in self._pairs if pair[1] is not None]
        if not done or not all(end.query() for _, end in done):
            return []
        self._pairs = []
        return [sum(begin.elapsed_time(end) for begin, end in done) / 1000]

    def restart(self) -> None:
        """Measure the next iteration."""
        self._pairs, self._measures = [], True


def _mark() -> Any:
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event
