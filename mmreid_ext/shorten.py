"""Shorten long lists and long texts in messages, and count things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

SHOWN = 5
"""Entries of a list that a message names."""

_LINE = 80
"""Characters of somebody else's text that a message quotes."""

_NAME = 300
"""Characters of a name in a list; paths are long."""


def shorten(values: Iterable[Any], separator: str = ", ", shown: int = SHOWN) -> str:
    """Join the first few values and say how many more there are.

    Args:
        values: What a message is about; each is written by ``str``, as one printable line of at
            most 300 characters.
        separator: Written between the values.
        shown: How many of them are written.
    """
    texts = [one_line(value, _NAME) for value in values]
    more = len(texts) - shown
    return separator.join(texts[:shown]) + (f" and {more} more" if more > 0 else "")


def several(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 image``, ``2,000 images``, ``2 identities``."""
    plural = noun.removesuffix("y") + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"


def one_line(value: Any, limit: int = _LINE) -> str:
    """Write ``value`` as printable text on one line of at most ``limit`` characters."""
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def brief(value: Any) -> str:
    """Write a value of a stranger for a message: short, on one line, never in full if it is big."""
    if isinstance(value, int) and abs(value) >= 2**128:
        return f"an integer of {value.bit_length()} bits"
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, str):
        return repr(one_line(value))
    if isinstance(value, (list, tuple, Mapping)) and not value:
        return repr(value)
    return f"({type(value).__name__})"
