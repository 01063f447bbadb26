"""Check numbers that a user has set."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any


def is_whole(value: Any, low: float, high: float = float("inf")) -> bool:
    """Return whether a setting is a whole number in ``[low, high]``; True and False are none."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    return whole and low <= int(value) <= high


def is_number(value: Any) -> bool:
    """Return whether a setting is a real number; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_finite(value: Any) -> bool:
    """Return whether a setting is a real number that a float can hold."""
    try:
        return is_number(value) and math.isfinite(value)
    except OverflowError:  # a whole number of more than 1,024 bits
        return False
