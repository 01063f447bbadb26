"""What a part of the suite is given: a device, a time limit, and a place for its results."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmreid_ext.shorten import one_line

from .device import Device

LONGEST_MESSAGE = 500


class OutOfTimeError(RuntimeError):
    """Something that the part had started did not end in time."""


@dataclass
class Job:
    """One part at work. Each result is on its way as soon as it is known.

    Attributes:
        device: What is measured.
        toy: Whether everything is small: a trial of the suite, no measurement.
        compiled: Whether ``torch.compile`` is measured, too.
        deadline: ``time.monotonic()`` at which the part is ended.
        folder: For files; the parts share it.
        send: Takes each result.
        shared: What earlier parts of this process left for later ones.
    """

    device: Device
    toy: bool
    compiled: bool
    deadline: float
    folder: Path
    send: Callable[[dict[str, Any]], object]
    shared: dict[str, Any] = field(default_factory=dict)

    def left(self) -> float:
        """Seconds until the part is ended."""
        return self.deadline - time.monotonic()

    def has_time(self, seconds: float, what: str) -> bool:
        """Whether so many seconds are left; if not, say what is not measured."""
        if self.left() >= seconds:
            return True
        self.note(f"Not measured, the time of this part was up: {what}.")
        return False

    def row(self, table: str, **cells: Any) -> None:
        """Add a row to a table; the names of the cells are the columns, ``_`` is a space there."""
        plain = {name.replace("_", " "): value for name, value in cells.items()}
        self.send(dict(kind="row", table=table, cells=plain))

    def note(self, text: str) -> None:
        """Add a sentence below the tables."""
        self.send(dict(kind="note", text=text))

    def check(self, name: str, error: float, limit: float) -> None:
        """Report an equality: it holds where ``error`` is a number of at most ``limit``."""
        error = float(error)
        equal = not math.isnan(error) and error <= limit
        self.send(dict(kind="check", name=name, error=error, limit=float(limit), equal=equal))

    def skip(self, reason: str) -> None:
        """Say that there is nothing to measure here, and why."""
        self.send(dict(kind="skipped", text=reason))

    @contextmanager
    def trying(self, what: str, equality: bool = False) -> Iterator[None]:
        """Record what goes wrong inside, and go on.

        An equality that can't be computed doesn't hold. One whose time is up isn't known.
        """
        try:
            yield
        except OutOfTimeError as error:
            self.note(f"Not measured, {what}: {error}.")
        except Exception as error:  # noqa: BLE001 (the suite finds out what fails, whatever it is)
            self.send(dict(kind="error", name=what, text=message_of(error), trace=_trace(error)))
            if equality:
                self.check(what, math.nan, 0.0)
            self.device.release()


def message_of(error: BaseException) -> str:
    """Write an error on one line, with its type."""
    return one_line(f"{type(error).__name__}: {error}", LONGEST_MESSAGE)


def _trace(error: Exception) -> list[str]:
    return traceback.format_exception(error)[-8:]
