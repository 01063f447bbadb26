"""Numbers for the ids that people write: whole numbers or names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from mmreid_ext.errors import UserError

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
                f"{where}: {other!r} and {text!r} may be one id or two. Write one number in one "
                "way."
            )
    if all(_is_plain_number(text) for text in known):
        return {text: int(text) for text in known}
    return {text: number for number, text in enumerate(known)}


def normalized(text: str) -> str:
    """Return the text without white space around it, in Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", text.strip())


def _is_plain_number(text: str) -> bool:
    if not (text.isascii() and text.isdecimal()):
        return False
    return len(text.lstrip("0")) <= _DIGITS and int(text) <= _LARGEST
