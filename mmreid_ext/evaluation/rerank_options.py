"""Settings of re-ranking and query expansion, as configurations and commands give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmreid_ext.errors import UserError

RERANK_DEFAULTS: dict[str, Any] = dict(k1=20, k2=6, lambda_value=0.3)
EXPANSION_DEFAULTS: dict[str, Any] = dict(num_neighbors=5, alpha=0.0)
AUTO_RERANK_LIMIT = 100_000


def rerank_settings(
    rerank: str | Mapping[str, Any] | None, num_images: int
) -> dict[str, Any] | None:
    """Complete settings of the re-ranking, or None for none.

    Args:
        rerank: None; ``'auto'``, the defaults where fewer than 100,000 images are ranked; or a dict
            with some of ``k1`` (20), ``k2`` (6), ``lambda_value`` (0.3), ``approximate`` (False).
        num_images: Number of images ranked, queries and gallery of all splits.

    Raises:
        ValueError: If ``rerank`` is something else.
    """
    if rerank is None:
        return None
    if rerank == "auto":
        return dict(RERANK_DEFAULTS) if num_images < AUTO_RERANK_LIMIT else None
    known = [*RERANK_DEFAULTS, "approximate"]
    if not isinstance(rerank, Mapping) or set(rerank) - set(known):
        raise UserError(
            f"rerank must be None, 'auto' or a dict with keys among {known}, got {rerank!r}."
        )
    return {**RERANK_DEFAULTS, **rerank}


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
    given = _parse(values, kinds, "--rerank takes k1=20 k2=6 lambda=0.3 or some of these")
    return {**RERANK_DEFAULTS, **given}


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
