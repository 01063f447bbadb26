"""Find the logged values that somebody asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten
from mmreid_ext.suggest import did_you_mean

DEFAULT = ("loss", "lr", "mAP", "R1")
_SHOWN = 40


def panels_of(asked: Sequence[str] | None, keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the keys of every panel of a figure, by the word that asked for it.

    A word is a whole key, the last part of keys (``mAP`` for that of every test set, re-ranked ones
    left out), or a pattern (``loss_*``, ``gate/*/mean``).

    Args:
        asked: Words; None: losses, learning rates, mAP and R1, as far as they were logged.
        keys: Logged keys.

    Raises:
        UserError: If a word fits none; the message lists what there is. If nothing was logged.
    """
    keys = list(dict.fromkeys(keys))
    if not keys:
        raise UserError("No value was logged; give the work folder of a training that has logged.")
    found = {word: matching(word, keys) for word in asked or DEFAULT}
    if asked is None:
        found = {word: names for word, names in found.items() if names} or dict(all=keys)
    for word, names in found.items():
        if not names:
            ends = [key.rpartition("/")[2] for key in keys]
            raise UserError(
                f"--keys {word}: nothing of that name was logged"
                f"{did_you_mean(word, [*keys, *ends])}; "
                f"there are {shorten(keys, ', ', _SHOWN)}."
            )
    return found


def matching(word: str, keys: Sequence[str]) -> list[str]:
    """Return the keys that a word means; see :func:`panels_of`."""
    if word in keys:
        return [word]
    ends = [key for key in keys if key.endswith(f"/{word}") and "/rerank/" not in key]
    return ends or [key for key in keys if fnmatchcase(key, word)]
