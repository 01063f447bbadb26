"""Make the training lines of the log file short: what a person reads, not every value."""

from __future__ import annotations

from typing import Any

from mmengine.runner import LogProcessor, Runner

from .figures import Figures
from .progress_hook import ProgressHook


class ShortLines:
    """MMEngine's log processor with shorter lines of training iterations.

    All values stay in what it returns for JSON files and trackers.

    Args:
        processor: The processor of the configuration.
        progress: What knows the figures.
    """

    def __init__(self, processor: LogProcessor, progress: ProgressHook) -> None:
        self._processor, self._progress = processor, progress

    def __getattr__(self, name: str) -> Any:
        return getattr(self._processor, name)

    def get_log_after_iter(self, runner: Runner, batch_idx: int, mode: str) -> tuple[dict, str]:
        """Return the values of an iteration and its line."""
        values, line = self._processor.get_log_after_iter(runner, batch_idx, mode)
        if mode != "train":
            return values, line
        figures = self._progress.figures(runner, values)
        notes = [f"time {values['time']:.3f} s"] if "time" in values else []
        if "data_time" in values:
            notes.append(f"data {values['data_time']:.3f} s")
        if "memory" in values:
            notes.append(f"memory {values['memory']:,} MB")
        figures = Figures(
            figures.place, figures.values, figures.images_per_second, figures.eta, notes
        )
        return values, figures.whole()
