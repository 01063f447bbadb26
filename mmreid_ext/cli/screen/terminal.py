"""Write lines and, where the terminal can, one line below them that changes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

_SECONDS_BETWEEN_LINES = 10.0
"""Silence between two lines where none can change."""

_SECONDS_BETWEEN_CHANGES = 0.2


class Terminal:
    """A screen with a live line at its bottom; without one in pipes, files and simple terminals.

    Nothing runs beside the program: the live line changes when it is told to. A thread could hold a
    lock at the moment when data loaders fork their processes.

    Args:
        file: Where to write. Defaults to the standard output of the moment.
        environ: Environment variables; ``CI`` (of build servers) means plain lines.
    """

    def __init__(self, file: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self.console = Console(file=file, highlight=False, markup=False, emoji=False)
        simple = self.console.is_dumb_terminal or bool(environ.get("CI"))
        self.can_change = self.console.is_terminal and not simple
        self._live: Live | None = None

    @property
    def width(self) -> int:
        """Columns of the live line."""
        return self.console.width

    def line(self, text: str, style: str = "") -> None:
        """Write a line (or several) that stays, above the live one."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def change(self, text: str) -> None:
        """Let ``text`` be the live line; does nothing where there can be none."""
        if not self.can_change:
            return
        if self._live is None:
            self._live = Live(console=self.console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(Text(text, no_wrap=True, overflow="ellipsis"), refresh=True)

    def clear(self) -> None:
        """Take the live line away and show the cursor."""
        if self._live is not None:
            self._live.stop()
            self._live = None


class PacedLine:
    """Show progress as a line that changes, or as one every ten seconds where none can.

    Args:
        terminal: Where to write. Defaults to the standard output.

    Attributes:
        begun: When the work began, by the monotonic clock.
    """

    def __init__(self, terminal: Terminal | None = None) -> None:
        self.terminal = Terminal() if terminal is None else terminal
        self.restart()

    def restart(self) -> None:
        """Let the work begin now."""
        self.begun = self._last = time.monotonic()

    def due(self) -> float | None:
        """Return the seconds since the beginning if it is time for a line, else None."""
        now = time.monotonic()
        pause = _SECONDS_BETWEEN_CHANGES if self.terminal.can_change else _SECONDS_BETWEEN_LINES
        if now - self._last < pause:
            return None
        self._last = now
        return max(now - self.begun, 1e-9)

    def show(self, text: str) -> None:
        """Write the line."""
        if self.terminal.can_change:
            self.terminal.change(text)
        else:
            self.terminal.line(text)

    def end(self) -> None:
        """Take the changing line away."""
        self.terminal.clear()
