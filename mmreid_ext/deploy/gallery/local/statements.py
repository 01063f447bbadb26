"""Lists of ids in SQL statements: older SQLite takes at most 999 values at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

MOST = 900


def chunks(values: Sequence[T]) -> Iterator[list[T]]:
    """Yield at most :data:`MOST` values at a time."""
    for start in range(0, len(values), MOST):
        yield list(values[start : start + MOST])


def marks(values: Sequence[object]) -> str:
    """Return a question mark per value: ``?,?,?``."""
    return ",".join("?" * len(values))
