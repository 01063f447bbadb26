"""Declare and read the options of the command line that say how to evaluate.

They are the same in every tool that ranks. None of them loads PyTorch, so ``--help`` stays quick.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.settings import (
    AUTO_RERANK_LIMIT,
    DISTANCES,
    EXPANSION_DEFAULTS,
    RERANK_DEFAULTS,
    check_query_expansion,
    check_rerank,
)
from mmreid_ext.json_values import read_json
from mmreid_ext.protocols import protocol_names

_Kinds = Mapping[str, tuple[str, Callable[[str], Any]]]
"""Setting and type behind each name that may be written on the command line."""

_RERANK: _Kinds = {
    "k1": ("k1", int),
    "k2": ("k2", int),
    "lambda": ("lambda_value", float),
    "approximate": ("approximate", lambda number: bool(int(number))),
}
_EXPANSION: _Kinds = {"n": ("num_neighbors", int), "alpha": ("alpha", float)}


def add_rerank_arguments(parser: ArgumentParser) -> None:
    """Add ``--rerank`` and ``--no-rerank``, for :func:`parse_rerank`."""
    parser.add_argument(
        "--rerank",
        nargs="*",
        metavar="NAME=VALUE",
        help=f"settings of the re-ranking ({rerank_example()}), which is on by default for sets "
        f"under {AUTO_RERANK_LIMIT:,} images",
    )
    parser.add_argument("--no-rerank", action="store_true", help="no re-ranked results")


def add_distance_argument(parser: ArgumentParser, default: str) -> None:
    """Add ``--distance``; None where it isn't given.

    Args:
        parser: The parser of a tool.
        default: What holds then, in words.
    """
    parser.add_argument(
        "--distance", choices=DISTANCES, help=f"distance between embeddings (default: {default})"
    )


def add_expansion_argument(parser: ArgumentParser) -> None:
    """Add ``--aqe``, for :func:`parse_query_expansion`."""
    parser.add_argument(
        "--aqe",
        nargs="*",
        metavar="NAME=VALUE",
        help=f"query expansion ({expansion_example()}): rank the mean of each query and its n "
        "nearest gallery images, weighted by similarity to the power alpha",
    )


def add_open_set_argument(parser: ArgumentParser) -> None:
    """Add ``--open-set``."""
    parser.add_argument(
        "--open-set",
        action="store_true",
        help="also take half of the people out of the gallery, and say how many of the others are "
        "found and accepted where 10 %% or 1 %% of these strangers are",
    )


def add_protocol_argument(parser: ArgumentParser, default: str) -> None:
    """Add ``--protocol``, for :func:`chosen_protocols`.

    Args:
        parser: The parser of a tool.
        default: Which protocols hold where none is given, in words.
    """
    parser.add_argument(
        "--protocol",
        action="append",
        default=[],
        metavar="[SET=]PROTOCOL",
        help=f"protocol of all test sets or of one (default: {default}): "
        f"{', '.join(protocol_names())}, or JSON",
    )


def add_out_argument(parser: ArgumentParser, content: str) -> None:
    """Add ``--out``.

    Args:
        parser: The parser of a tool.
        content: What is written, in words.
    """
    parser.add_argument("--out", metavar="JSON", help=f"write {content} here")


def given_options(args: Namespace) -> dict[str, Any]:
    """Collect the options that a user gave, as arguments of an evaluation.

    Args:
        args: From a parser with :func:`add_rerank_arguments`. Its other options may be missing.

    Returns:
        ``rerank``, ``query_expansion``, ``distance`` and ``open_set``, only those given.

    Raises:
        ValueError: If one can't be used.
    """
    given: dict[str, Any] = {}
    if args.rerank is not None or args.no_rerank:
        given["rerank"] = parse_rerank(args.rerank, args.no_rerank)
    if getattr(args, "aqe", None) is not None:
        given["query_expansion"] = parse_query_expansion(args.aqe)
    if getattr(args, "distance", None) is not None:
        given["distance"] = args.distance
    if getattr(args, "open_set", False):
        given["open_set"] = True
    return given


def parse_rerank(
    values: Sequence[str] | None, no_rerank: bool = False
) -> str | dict[str, Any] | None:
    """Read ``--rerank [k1=20] [k2=6] [lambda=0.3]`` and ``--no-rerank`` as argument ``rerank``.

    Args:
        values: What followed ``--rerank``; None when it wasn't given, which means ``'auto'``.
        no_rerank: Whether ``--no-rerank`` was given.

    Raises:
        ValueError: If both were given, or a value isn't ``name=number``.
    """
    if no_rerank and values is not None:
        raise UserError("--rerank and --no-rerank exclude each other; give one of them.")
    if values is None:
        return None if no_rerank else "auto"
    given = _parse(values, _RERANK, f"--rerank takes {rerank_example()} or some of these")
    check_rerank(given)
    return {**RERANK_DEFAULTS, **given}


def parse_query_expansion(values: Sequence[str] | None) -> dict[str, Any] | None:
    """Read ``--aqe [n=5] [alpha=0]`` as argument ``query_expansion``.

    Args:
        values: What followed ``--aqe``; None when it wasn't given, which means no expansion.

    Raises:
        ValueError: If a value isn't ``name=number``.
    """
    if values is None:
        return None
    given = _parse(values, _EXPANSION, f"--aqe takes {expansion_example()} or some of these")
    check_query_expansion(given)
    return {**EXPANSION_DEFAULTS, **given}


def chosen_protocols(
    options: Sequence[str], saved: Mapping[str, Any] | None = None
) -> dict[str | None, Any]:
    """Read ``--protocol`` as protocols by test set; ``None`` is for the sets not named.

    Args:
        options: What followed each ``--protocol``: ``PROTOCOL`` or ``SET=PROTOCOL``. The later one
            holds.
        saved: Protocols of sets that are not named.

    Raises:
        ValueError: If JSON can't be read.
    """
    protocols: dict[str | None, Any] = {name: spec for name, spec in (saved or {}).items()}
    for option in options:
        name, separator, spec = option.partition("=")
        if separator and not option.startswith("{"):
            protocols[name] = _protocol(spec, option)
        else:
            protocols = {None: _protocol(option, option)}
    return protocols


def rerank_example() -> str:
    """Write the defaults as the command line does: ``k1=20 k2=6 lambda=0.3``."""
    return _example(_RERANK, RERANK_DEFAULTS)


def expansion_example() -> str:
    """Write the defaults as the command line does: ``n=5 alpha=0``."""
    return _example(_EXPANSION, EXPANSION_DEFAULTS)


def _example(kinds: _Kinds, defaults: Mapping[str, Any]) -> str:
    shown = {name: key for name, (key, _) in kinds.items() if key in defaults}
    return " ".join(f"{name}={defaults[key]:g}" for name, key in shown.items())


def _parse(values: Sequence[str], kinds: _Kinds, usage: str) -> dict[str, Any]:
    settings = {}
    for value in values:
        name, _, number = value.partition("=")
        try:
            key, kind = kinds[name]
            settings[key] = kind(number)
        except (KeyError, ValueError):
            raise UserError(f"{usage}, not {value!r}.") from None
    return settings


def _protocol(spec: str, option: str) -> Any:
    if not spec.startswith("{"):
        return spec
    try:
        return read_json(spec)
    except ValueError as error:
        raise UserError(
            f"--protocol {option}: {spec!r} is no JSON ({error}); write for example "
            '\'{"type": "single_gallery_shot", "repeats": 10}\'.'
        ) from error
