"""Suggest what a misspelt name was meant to be, in one wording for every message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SIMILAR = 0.6  # difflib's own threshold: one letter in three may differ


def nearest(name: object, names: Iterable[object]) -> str | None:
    """Return the one of ``names`` that ``name`` was probably meant to be, ``None`` if none is near.

    Case and the signs between words don't count: ``cam_id`` and ``CamID`` are near ``camid``.
    """
    plain: dict[str, str] = {}
    for known in names:
        plain.setdefault(_bare(known), str(known))
    found = difflib.get_close_matches(_bare(name), plain, n=1, cutoff=SIMILAR)
    return plain[found[0]] if found else None


def did_you_mean(name: object, names: Iterable[object]) -> str:
    """Return the half sentence `` (did you mean 'camid'?)``, empty if nothing is near.

    Args:
        name: What was written.
        names: What exists.

    Returns:
        Text to put straight behind the name in a message; it begins with a blank.
    """
    found = nearest(name, names)
    return f" (did you mean {found!r}?)" if found is not None else ""


def _bare(name: object) -> str:
    return "".join(letter for letter in str(name).lower() if letter.isalnum())
