"""Read the texts of a form as what they mean: numbers, boxes, times, names."""

from __future__ import annotations

import math
import unicodedata

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.moments import read_moment
from mmreid_ext.shorten import one_line

MAX_NAME = 200
"""Characters of the name of a person or camera."""

_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_HIDDEN = ("Cc", "Cs", "Zl", "Zp", "Cn")
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction of the text behind them: a name could pose as another."""


def whole(name: str, text: str | None, default: int, high: int) -> int:
    """Read a whole number from 1 on.

    Args:
        name: Of the field.
        text: What the client sent; None: the default.
        default: Used where there is no text.
        high: Largest number.

    Raises:
        Refusal: 400.
    """
    if text is None:
        return min(default, high)
    digits = text.isascii() and text.isdecimal() and len(text) <= 18
    if not digits or not 1 <= int(text) <= high:
        raise Refusal(400, f"{name}={one_line(text)!r} must be a whole number from 1 to {high}.")
    return int(text)


def flag(name: str, text: str | None) -> bool:
    """Read yes or no; no text is no.

    Raises:
        Refusal: 400.
    """
    if text is None or text.lower() in _NO:
        return False
    if text.lower() not in _YES:
        raise Refusal(400, f"{name}={one_line(text)!r} must be true or false.")
    return True


def box(text: str | None) -> tuple[float, float, float, float] | None:
    """Read ``x,y,w,h``: left, top, width and height in pixels; None where there is no text.

    Raises:
        Refusal: 400.
    """
    if text is None:
        return None
    try:
        x, y, w, h = (float(part) for part in text.split(","))
    except ValueError:
        x = y = w = h = math.nan
    if not all(math.isfinite(value) and abs(value) < 1e6 for value in (x, y, w, h)):
        raise Refusal(
            400,
            f"box={one_line(text)!r} must be four numbers x,y,w,h: "
            "left, top, width and height in pixels.",
        )
    return x, y, w, h


def moment(name: str, text: str | None) -> float | None:
    """Read a time as seconds since 1970; None where there is no text.

    Args:
        name: Of the field.
        text: ISO 8601, UTC unless it says otherwise, or seconds since 1970.

    Raises:
        Refusal: 400.
    """
    if text is None:
        return None
    seconds = read_moment(text)
    if seconds is None:
        raise Refusal(
            400,
            f"{name}={one_line(text)!r} must be a time as 2026-05-31T14:00:00Z, or seconds "
            "since 1970.",
        )
    return seconds


def person(name: str, text: str | None) -> str | None:
    """Check the name of a person or camera; None where there is no text.

    Args:
        name: Of the field.
        text: The name; blanks around it don't count.

    Raises:
        Refusal: 400 for a name that is too long, that can't be shown, or that no address can hold.
    """
    if text is None or not text.strip():
        return None
    text = text.strip()
    if len(text) > MAX_NAME:
        raise Refusal(400, f"{name} has {len(text)} characters, may have {MAX_NAME}.")
    if any(c in _TURNING or unicodedata.category(c) in _HIDDEN for c in text):
        raise Refusal(400, f"{name} holds characters that can't be shown; leave them out.")
    if text in (".", ".."):
        raise Refusal(400, f"{name}={text!r} can't stand in an address; give another name.")
    return text
