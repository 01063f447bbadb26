"""Say how far a long evaluation is, and nothing in a short one."""

from __future__ import annotations

import time
from collections.abc import Callable


class PeriodicProgress:
    """Report at most every ``interval`` seconds; the ``progress`` argument of the evaluations.

    Args:
        say: Receives lines such as ``'neighbours: 40 %'``.
        interval: Seconds of silence at the beginning and between two lines. Defaults to 10.
    """

    def __init__(self, say: Callable[[str], None], interval: float = 10.0) -> None:
        self.say = say
        self.interval = interval
        self._last = time.monotonic()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note of ``done`` of ``total`` pieces of a stage."""
        now = time.monotonic()
        if now - self._last >= self.interval:
            self._last = now
            self.say(f"{stage}: {100 * done // max(total, 1)} %")
