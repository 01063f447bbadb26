"""Show how far a check is: one changing line in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time

from mmreid_ext.cli.screen.terminal import Terminal
from mmreid_ext.evaluation.progress import PeriodicProgress

_FIRST, _EACH = 1.0, 0.2  # seconds before the line appears, and between two of its states


class CheckProgress:
    """Write to standard error; call :meth:`clear` before anything else is written."""

    def __init__(self) -> None:
        self._terminal = Terminal(sys.stderr)
        self._plain = PeriodicProgress(self._terminal.line)
        self._start = time.monotonic()
        self._stage, self._next = "", 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note of ``done`` of ``total`` pictures of a stage."""
        if not self._terminal.can_change:
            self._plain(stage, done, total)
            return
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._start, self._next = stage, now, now + _FIRST
        if now < self._next:
            return
        self._next = now + _EACH
        left = (now - self._start) * (total - done) / max(done, 1)
        self._terminal.change(
            f"{stage}: {done:,} of {total:,} ({100 * done // max(total, 1)} %), "
            f"{int(left) // 60}:{int(left) % 60:02d} left"
        )

    def clear(self) -> None:
        """Take the changing line away."""
        self._terminal.clear()
