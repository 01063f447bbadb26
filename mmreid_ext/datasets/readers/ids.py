"""Numbers for the ids that people write: whole numbers or names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import brief

UNKNOWN = -1
_NONE = frozenset(("", "none", "null", "nan", "-1"))
# 7, 007, +7 and 7.0 spell one number; spreadsheets turn one of them into another.
_SPELLED_NUMBER = re.compile(r"\+?0*(\d+)(?:\.0*)?", re.ASCII)
_LARGEST = 2**63 - 1  # ids are stored as int64
_DIGITS = 19  # of the largest; int() refuses more than 4,300


def is_none(text: str) -> bool:
    """Return whether the text says that there is no id."""
    return text.strip().lower() in _NONE


def number_ids(texts: Iterable[str], where: str) -> dict[str, int]:
    """Give every id a number.

    Two texts are one id if they are the same text, white space around them and their Unicode form
    (NFC) apart. If all ids are whole numbers below 2**63, they keep their values; otherwise they
    are names, numbered from 0 in sorted order.

    Args:
        texts: Ids as written; those that say "none" are left out.
        where: File and column, for messages.

    Returns:
        The number of every text, by the text as :func:`normalized` gives it.

    Raises:
        UserError: If one number is spelled in two ways, for example ``7`` and ``007``.
    """
    known = sorted({normalized(text) for text in texts if not is_none(text)})
    spelled: dict[str, str] = {}
    for text in known:
        matched = _SPELLED_NUMBER.fullmatch(text)
        if matched is None:
            continue
        other = spelled.setdefault(matched[1], text)
        if other != text:
            raise UserError(
                f"{where}: {brief(other)} and {brief(text)} may be one id or two. Write one number "
                "in one way."
            )
    numbers = {text: whole_number(text) for text in known}
    if None not in numbers.values():
        return {text: number for text, number in numbers.items() if number is not None}
    return {text: number for number, text in enumerate(known)}


def normalized(text: str) -> str:
    """Return the text without white space around it, in Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", text.strip())


def whole_number(text: str) -> int | None:
    """Return the number that ASCII digits spell, None for other texts and from 2**63 on."""
    if not (text.isascii() and text.isdecimal()) or len(text.lstrip("0")) > _DIGITS:
        return None
    number = int(text.lstrip("0") or "0")
    return number if number <= _LARGEST else None
