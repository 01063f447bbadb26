"""Keep the end of each logged value's history, and of the rest what its averages need.

MMEngine keeps every value of every iteration, copies all of them at each new one, and writes them
into each checkpoint. Here the means, minima and maxima stay those of all values: over a window,
because so many values are kept; over the whole run, because its sums are.

Installed by ``mmreid_ext.compat.enable_safe_checkpoints``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple

import numpy as np
from mmengine.logging import HistoryBuffer
from mmengine.runner import LogProcessor

KEPT = 500
"""Values that are kept at least; twice the longest window that anybody has asked for, if more."""

WHOLE_RUN = "global"
"""A window in the configuration of the log."""


class Dropped(NamedTuple):
    """What is known of values that aren't kept.

    Attributes:
        values: Their number.
        total: Sum.
        counts: Sum of their counts, by which a mean divides.
        least: Minimum.
        most: Maximum.
    """

    values: int = 0
    total: float = 0.0
    counts: float = 0.0
    least: float = float("inf")
    most: float = float("-inf")


def install() -> None:
    """Replace the methods of ``HistoryBuffer``, and what ``"global"`` means to ``LogProcessor``."""
    HistoryBuffer.update = _forgetting(HistoryBuffer.update)
    for name, over_all in {"mean": _mean, "max": _most, "min": _least}.items():
        method = _of_all_values(getattr(HistoryBuffer, name), over_all)
        setattr(HistoryBuffer, name, method)
        HistoryBuffer._statistics_methods[name] = method
    LogProcessor._parse_windows_size = _naming_the_whole_run(LogProcessor._parse_windows_size)


def dropped_of(buffer: HistoryBuffer) -> Dropped:
    """Return what a history knows of values that it doesn't keep."""
    return getattr(buffer, "_dropped", Dropped())


def longest_window_of(buffer: HistoryBuffer) -> int:
    """Return the longest window that a mean, minimum or maximum was asked over."""
    return getattr(buffer, "_longest_window", 0)


def restore_forgotten(buffer: HistoryBuffer, dropped: Dropped, longest_window: int) -> None:
    """Give a history that was read from a checkpoint the part that isn't in its arrays."""
    buffer._dropped = dropped
    buffer._longest_window = min(longest_window, len(buffer.data[0]))


def _forgetting(update: Callable[..., None]) -> Callable[..., None]:
    @wraps(update)
    def update_and_forget(self: HistoryBuffer, *args: Any, **kwargs: Any) -> None:
        update(self, *args, **kwargs)
        kept = max(KEPT, 2 * longest_window_of(self))
        if len(self._log_history) > kept + KEPT and self.max_length > kept + KEPT:
            _drop(self, len(self._log_history) - kept)

    return update_and_forget


def _drop(buffer: HistoryBuffer, number: int) -> None:
    logs, counts = (part[:number] for part in buffer.data)
    before = dropped_of(buffer)
    buffer._dropped = Dropped(
        before.values + number,
        before.total + float(logs.sum()),
        before.counts + float(counts.sum()),
        float(np.minimum(before.least, logs.min())),  # NaN stays NaN, as in an array
        float(np.maximum(before.most, logs.max())),
    )
    buffer._log_history = buffer._log_history[number:].copy()
    buffer._count_history = buffer._count_history[number:].copy()


def _of_all_values(method: Callable[..., Any], over_all: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def over_window(self: HistoryBuffer, window_size: int | None = None) -> Any:
        dropped = dropped_of(self)
        number = dropped.values + len(self._log_history)
        if isinstance(window_size, int) and window_size <= number:
            self._longest_window = max(window_size, longest_window_of(self))
        whole = window_size is None or isinstance(window_size, int) and window_size >= number
        if whole and dropped.values:
            return over_all(dropped, *self.data)
        return method(self, window_size)

    return over_window


def _mean(dropped: Dropped, logs: np.ndarray, counts: np.ndarray) -> np.floating:
    return np.float64(dropped.total + logs.sum()) / (dropped.counts + counts.sum())


def _most(dropped: Dropped, logs: np.ndarray, _: np.ndarray) -> Any:
    return np.maximum(dropped.most, logs.max())


def _least(dropped: Dropped, logs: np.ndarray, _: np.ndarray) -> Any:
    return np.minimum(dropped.least, logs.min())


def _naming_the_whole_run(parse: Callable[..., list]) -> Callable[..., list]:
    """Pass the whole run on as None: as a number of iterations it would be a growing window."""

    @wraps(parse)
    def parse_windows(
        self: LogProcessor, runner: Any, batch_idx: int, custom_cfg: list | None = None
    ) -> list:
        given = self.custom_cfg if custom_cfg is None else custom_cfg
        parsed = parse(self, runner, batch_idx, given)
        for before, after in zip(given, parsed, strict=True):
            if _is_over_the_whole_run(before):
                after["window_size"] = None
        return parsed

    return parse_windows


def _is_over_the_whole_run(entry: Mapping[str, Any]) -> bool:
    known = entry.get("method_name") in ("mean", "max", "min")
    return known and entry.get("window_size") == WHOLE_RUN
