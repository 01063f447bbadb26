"""Show how many of something are done."""

from __future__ import annotations

from mmreid_ext.cli.screen.terminal import PacedLine, Terminal


class CountedProgress(PacedLine):
    """Counts what is done.

    Args:
        total: How many there are.
        noun: What is counted, in the plural.
        terminal: Where to write. Defaults to the standard output.
    """

    def __init__(self, total: int, noun: str, terminal: Terminal | None = None) -> None:
        super().__init__(terminal)
        self.total, self.noun, self.done = total, noun, 0

    def __call__(self, more: int) -> None:
        """Count some as done."""
        self.done += more
        seconds = self.due()
        if seconds is not None:
            speed = self.done / seconds
            self.show(f"{self.done:,} of {self.total:,} {self.noun}  {speed:,.0f}/s")
