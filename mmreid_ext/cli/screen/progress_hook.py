"""Show how far a training, a validation or a test is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sized
from typing import Any

import numpy as np
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner

from .batches import batch_sizes
from .figures import Figures
from .terminal import Terminal

LIVE = 0.2
"""Seconds between two changes of the live line: the eye follows no faster."""

LINES = 20
"""Lines of a training in a pipe or a file, about."""

PAUSE = 5.0
"""Seconds between two of them at least."""

SILENCE = 300.0
"""Seconds after which a long training says something all the same."""

TEST_SILENCE = 10.0
RECENT = 50
"""Iterations whose time is taken for that of the ones to come."""


class ProgressHook(Hook):
    """Show a live line, or now and then a plain one. For the first rank.

    It reads numbers that are on the host already, so no iteration waits for the device.

    Args:
        terminal: The screen.
    """

    priority = "LOW"  # after the timer and the log

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._images: int | None = None
        self._said_at = self._shown_at = time.monotonic()
        self._said_iter = 0
        self._started = time.monotonic()
        self._has_spoken = False

    def before_train(self, runner: Runner) -> None:
        """Take the time, and count the images of an iteration."""
        self._images = sum(batch_sizes(runner.train_loop)) * runner.world_size or None
        self._said_iter = runner.iter
        self._said_at = time.monotonic()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Show the figures of the iteration if it is time."""
        now = time.monotonic()
        if self.terminal.can_change:
            if now - self._shown_at >= LIVE:
                self._shown_at = now
                self.terminal.change(self.figures(runner).fitted(self.terminal.width))
        elif self._is_due(runner, now):
            self._said_at, self._said_iter, self._has_spoken = now, runner.iter + 1, True
            self.terminal.line(self.figures(runner).whole())

    def _is_due(self, runner: Runner, now: float) -> bool:
        done = runner.iter + 1
        if done == runner.max_iters or not self._has_spoken:
            return True
        passed = now - self._said_at
        enough = (done - self._said_iter) * LINES >= runner.max_iters
        return (enough and passed >= PAUSE) or passed >= SILENCE

    def figures(self, runner: Runner, values: Mapping[str, float] | None = None) -> Figures:
        """Return the figures of the iteration that has just been made.

        Args:
            runner: The runner, in training.
            values: Smoothed values by name. Defaults to means over the window of the log.
        """
        if values is None:
            window = runner.log_processor.window_size
            values = {
                name.removeprefix("train/"): float(history.mean(window))
                for name, history in runner.message_hub.log_scalars.items()
                if name.startswith("train/") and is_shown(name)
            }
        done, whole = runner.iter + 1, runner.max_iters
        seconds = seconds_per_iteration(runner.message_hub.log_scalars.get("train/time"))
        return Figures(
            place_of(runner, done, whole),
            values,
            self._images / seconds if seconds and self._images else None,
            None if seconds is None else (whole - done) * seconds,
        )

    def before_val_epoch(self, runner: Runner) -> None:
        """Say that a validation begins."""
        self._begin()
        if getattr(runner, "_train_loop", None) and not isinstance(runner._train_loop, dict):
            self.terminal.line(f"validation after {_done(runner)}")

    def after_val_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        """Take the line of the validation away; the table is above it."""
        self.terminal.clear()

    def before_test_epoch(self, runner: Runner) -> None:
        """Take the time."""
        self._begin()

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Show how many images have been read."""
        self._evaluated("validation", batch_idx + 1, runner.val_dataloader)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Show how many images have been read."""
        self._evaluated("test", batch_idx + 1, runner.test_dataloader)

    def _begin(self) -> None:
        self._started = self._said_at = time.monotonic()
        self._shown_at = 0.0

    def _evaluated(self, what: str, done: int, loader: Sized) -> None:
        whole, now = len(loader), time.monotonic()
        left = (now - self._started) / done * (whole - done)
        figures = Figures(f"{what}: {done} of {whole} batches", {}, None, left)
        if self.terminal.can_change:
            if done == whole:
                self.terminal.change(f"{what}: all images read, ranking")
            elif now - self._shown_at >= LIVE:
                self._shown_at = now
                self.terminal.change(figures.fitted(self.terminal.width))
        elif now - self._said_at >= TEST_SILENCE:
            self._said_at = now
            self.terminal.line(figures.whole())


def is_shown(name: str) -> bool:
    """Whether the line shows this value of the log."""
    last = name.rpartition("/")[2]
    return last == "loss" or last.startswith("loss_") or name in ("train/lr", "train/gate/mean")


def seconds_per_iteration(history: HistoryBuffer | None) -> float | None:
    """Return the usual time of the last iterations; None after the first one, which warms up.

    A median: the iteration after a validation counts part of that.
    """
    times = () if history is None else history.data[0][1:][-RECENT:]
    return float(np.median(times)) if len(times) else None


def counts_epochs(loop: object) -> bool:
    """Whether a training loop is one of several epochs."""
    return getattr(loop, "_max_epochs", 1) > 1  # 1 in loops that count iterations


def place_of(runner: Runner, done: int, whole: int) -> str:
    """Return the place in the training: ``'iter 20/300'`` or ``'epoch 2/40 iter 95/120'``."""
    if not counts_epochs(runner.train_loop):
        return f"iter {done}/{whole}"
    epochs = runner.train_loop.max_epochs
    length = max(whole // epochs, 1)
    return f"epoch {runner.epoch + 1}/{epochs} iter {done - runner.epoch * length}/{length}"


def _done(runner: Runner) -> str:
    if counts_epochs(runner.train_loop):
        return f"epoch {runner.epoch}"
    return f"iteration {runner.iter}"
