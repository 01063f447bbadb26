"""Show how far the embedding of many pictures is."""

from __future__ import annotations

import time
from datetime import timedelta

from .terminal import Terminal

_SECONDS_BETWEEN_LINES = 10.0
"""Silence between two lines where none can change."""

_SECONDS_BETWEEN_CHANGES = 0.2


class EmbeddingProgress:
    """A line that changes, or one every ten seconds where none can.

    Args:
        total: Pictures of all ranks.
        world_size: Number of ranks; this one stands for all of them.
    """

    def __init__(self, total: int, world_size: int = 1) -> None:
        self.total, self.world_size = total, world_size
        self.terminal = Terminal()
        self.begun = self.last = time.monotonic()

    def start(self, source: str, finished: int, shards: int) -> None:
        """Say what is to be done, and what was done before."""
        ranks = f", {self.world_size} ranks" if self.world_size > 1 else ""
        text = f"{source}: {self.total:,} pictures{ranks}"
        if finished:
            text += f"; continued, {finished} of {shards} parts are done"
        self.terminal.line(text)
        self.begun = self.last = time.monotonic()

    def __call__(self, done: int, share: int) -> None:
        """Show the pictures done by this rank, and the speed of all."""
        now = time.monotonic()
        pause = _SECONDS_BETWEEN_CHANGES if self.terminal.can_change else _SECONDS_BETWEEN_LINES
        if now - self.last < pause:
            return
        self.last = now
        speed = done / (now - self.begun)
        left = timedelta(seconds=round((share - done) / speed)) if speed > 0 else "?"
        text = (
            f"{100 * done // max(share, 1)} %  {speed * self.world_size:,.0f} pictures/s  "
            f"{left} left"
        )
        if self.terminal.can_change:
            self.terminal.change(text)
        else:
            self.terminal.line(text)

    def end(self) -> None:
        """Take the changing line away."""
        self.terminal.clear()
