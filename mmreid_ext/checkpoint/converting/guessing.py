"""Guess by the names of weights which program wrote a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten
from mmreid_ext.suggest import did_you_mean

from .source import Source
from .sources import SOURCES


class Guess(NamedTuple):
    """A program, and why it is taken for that.

    Attributes:
        source: The program.
        seen: A name for each of its signs.
    """

    source: Source
    seen: list[str]


def source_named(name: str) -> Source:
    """Return the program of a name.

    Raises:
        UserError: If there is none.
    """
    if name not in SOURCES:
        raise UserError(
            f"--from {name}: unknown{did_you_mean(name, SOURCES)}; it is one of "
            f"{', '.join(SOURCES)}."
        )
    return SOURCES[name]


def guess_source(names: Iterable[str]) -> Guess:
    """Return the program whose signs the names of a checkpoint carry.

    The first one in the order of :data:`.sources.SOURCES` is taken; those with more particular
    signs stand first.

    Args:
        names: Names of the weights.

    Raises:
        UserError: If none is recognised.
    """
    given = list(names)
    for source in SOURCES.values():
        for alternative in source.signs:
            seen = [_first(pattern, given) for pattern in alternative]
            if all(seen):
                return Guess(source, [name for name in seen if name])
    raise UserError(
        f"The weights are called {shorten(given, shown=3)}, as no program's that this package "
        f"knows; name it by --from {'|'.join(SOURCES)}."
    )


def _first(pattern: str, names: list[str]) -> str | None:
    return next((name for name in names if re.search(pattern, name)), None)
