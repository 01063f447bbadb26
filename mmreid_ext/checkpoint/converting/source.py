"""Describe a program whose checkpoints can be converted, and translate the names of its weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from torch import Tensor

from mmreid_ext.checkpoint.starting.layouts import Translation
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten

State: TypeAlias = Mapping[str, Tensor]
"""Weights by name."""

TRAINING = "only its training needs them"


class Choice(NamedTuple):
    """The configuration of ours that computes what a checkpoint's network computes.

    Attributes:
        config: Its name, such as ``'fastreid_r50'``.
        options: Settings that the weights show, by their path in the configuration.
        assumed: What the weights don't show, and is taken to be what the program does by default.
    """

    config: str
    options: dict[str, Any]
    assumed: str


class Named(NamedTuple):
    """What a pattern of names stands for.

    Attributes:
        pattern: Regular expression; a name belongs to it if it is found anywhere in there.
        what: In words, for messages.
    """

    pattern: str
    what: str


@dataclass(frozen=True)
class Source:
    """A program, and how its checkpoints become ours.

    Attributes:
        name: As ``--from`` takes it.
        title: As its authors write it.
        signs: Each alternative is a tuple of patterns. A file is the program's if each pattern of
            an alternative is found in some name.
        renaming: The weights, under their own names, in; a translation of such names out.
        choose: Finds our configuration by the weights, under their own names.
        change: Changes weights before they are renamed: shapes, entries that are two of ours.
        dropped: Weights that embeddings don't depend on.
        refused: Weights of parts that this package doesn't have.
    """

    name: str
    title: str
    signs: tuple[tuple[str, ...], ...]
    renaming: Callable[[State], Translation]
    choose: Callable[[State], Choice]
    change: Callable[[State], State] = dict
    dropped: tuple[Named, ...] = ()
    refused: tuple[Named, ...] = ()


@dataclass
class Translated:
    """A state dictionary under our names.

    Attributes:
        state: The weights.
        origin: The name that each had, by ours.
        dropped: Names of weights that are left out, by the reason.
        refused: Names of weights that have no place, by what they belong to.
    """

    state: dict[str, Tensor] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)


def always(translation: Translation) -> Callable[[State], Translation]:
    """Return the renaming of a program whose networks all have names of one kind."""
    return lambda state: translation


def behind(prefix: str, backbone: Translation, others: Translation) -> Translation:
    """Translate the names of a backbone, and those of the parts around it.

    Args:
        prefix: What the names of the backbone's weights begin with.
        backbone: Translates them, without that prefix.
        others: Translates all other names.
    """

    def translate(name: str) -> str:
        if name.startswith(prefix):
            return f"backbone.{backbone(name.removeprefix(prefix))}"
        return others(name)

    return translate


def translate(source: Source, state: State) -> Translated:
    """Give the weights of a program our names.

    Args:
        source: The program.
        state: Its weights.

    Raises:
        UserError: If two weights get the same name, so that one would be lost.
    """
    found, rename = Translated(), source.renaming(state)
    for name, value in source.change(state).items():
        refused, dropped = _belongs(name, source.refused), _belongs(name, source.dropped)
        if refused is not None:
            found.refused.setdefault(refused, []).append(name)
            continue
        if dropped is not None:
            found.dropped.setdefault(dropped, []).append(name)
            continue
        ours = rename(name)
        if ours in found.state:
            raise UserError(
                f"{source.title}: {shorten([name, found.origin[ours]])} would both be {ours}; "
                "the file is no single network, so give the one that you want alone."
            )
        found.state[ours], found.origin[ours] = value, name
    return found


def _belongs(name: str, parts: tuple[Named, ...]) -> str | None:
    return next((part.what for part in parts if re.search(part.pattern, name)), None)
