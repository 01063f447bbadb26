"""Long lists in messages."""

from __future__ import annotations

from collections.abc import Collection

_SHOWN = 5


def shorten(values: Collection) -> str:
    """The first few values and how many more there are."""
    values = list(values)
    shown = ", ".join(map(str, values[:_SHOWN]))
    more = len(values) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
