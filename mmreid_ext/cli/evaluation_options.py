"""Options of the command line that say how to evaluate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.settings import (
    EXPANSION_DEFAULTS,
    K1,
    K2,
    LAMBDA,
    RERANK_DEFAULTS,
    check_query_expansion,
    check_rerank,
)


def parse_rerank(
    values: Sequence[str] | None, no_rerank: bool = False
) -> str | dict[str, Any] | None:
    """``--rerank [k1=20] [k2=6] [lambda=0.3]`` and ``--no-rerank`` as the ``rerank`` argument.

    Args:
        values: What followed ``--rerank``; None when it wasn't given, which means ``'auto'``.
        no_rerank: Whether ``--no-rerank`` was given.

    Raises:
        ValueError: If both were given, or a value isn't ``name=number``.
    """
    if no_rerank and values is not None:
        raise UserError("--rerank and --no-rerank exclude each other.")
    if values is None:
        return None if no_rerank else "auto"
    kinds = {"k1": ("k1", int), "k2": ("k2", int), "lambda": ("lambda_value", float)}
    kinds["approximate"] = ("approximate", lambda number: bool(int(number)))
    given = _parse(values, kinds, f"--rerank takes {rerank_example()} or some of these")
    check_rerank(given)
    return {**RERANK_DEFAULTS, **given}


def rerank_example() -> str:
    """The defaults as the command line writes them: ``k1=20 k2=6 lambda=0.3``."""
    return f"k1={K1} k2={K2} lambda={LAMBDA}"


def parse_query_expansion(values: Sequence[str] | None) -> dict[str, Any] | None:
    """``--aqe [n=5] [alpha=0]`` as the ``query_expansion`` argument.

    Args:
        values: What followed ``--aqe``; None when it wasn't given, which means no expansion.

    Raises:
        ValueError: If a value isn't ``name=number``.
    """
    if values is None:
        return None
    kinds = {"n": ("num_neighbors", int), "alpha": ("alpha", float)}
    given = _parse(values, kinds, "--aqe takes n=5 alpha=0 or some of these")
    check_query_expansion(given)
    return {**EXPANSION_DEFAULTS, **given}


def _parse(
    values: Sequence[str], kinds: Mapping[str, tuple[str, Callable[[str], Any]]], usage: str
) -> dict[str, Any]:
    settings = {}
    for value in values:
        name, _, number = value.partition("=")
        try:
            key, kind = kinds[name]
            settings[key] = kind(number)
        except (KeyError, ValueError):
            raise UserError(f"{usage}, not {value!r}.") from None
    return settings
