"""Show how far the embedding of many pictures is."""

from __future__ import annotations

from datetime import timedelta

from .terminal import PacedLine


class EmbeddingProgress(PacedLine):
    """Shows the share, the speed and the time that is left.

    Args:
        total: Pictures of all ranks.
        world_size: Number of ranks; this one stands for all of them.
    """

    def __init__(self, total: int, world_size: int = 1) -> None:
        super().__init__()
        self.total, self.world_size = total, world_size

    def start(self, source: str, finished: int, shards: int) -> None:
        """Say what is to be done, and what was done before."""
        ranks = f", {self.world_size} ranks" if self.world_size > 1 else ""
        text = f"{source}: {self.total:,} pictures{ranks}"
        if finished:
            text += f"; continued, {finished} of {shards} parts are done"
        self.terminal.line(text)
        self.restart()

    def __call__(self, done: int, share: int) -> None:
        """Show the pictures done by this rank, and the speed of all."""
        seconds = self.due()
        if seconds is None:
            return
        speed = done / seconds
        left = timedelta(seconds=round((share - done) / speed)) if speed > 0 else "?"
        self.show(
            f"{100 * done // max(share, 1)} %  {speed * self.world_size:,.0f} pictures/s  "
            f"{left} left"
        )
