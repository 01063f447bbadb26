"""Settings of an evaluation, checked before any work: re-ranking, query expansion, distance, ranks.

One default of re-ranking holds wherever a test set is evaluated (``ReIDMetric``, ``evaluate_set``,
the command lines): ``'auto'``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.protocols import EvaluationProtocol
from mmreid_ext.protocols.protocol import is_whole
from mmreid_ext.suggest import did_you_mean

K1, K2, LAMBDA = 20, 6, 0.3  # Zhong et al., CVPR 2017
RERANK_DEFAULTS: dict[str, Any] = dict(k1=K1, k2=K2, lambda_value=LAMBDA)
DISTANCES = ("cosine", "euclidean")
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
    if isinstance(rerank, str) and rerank == "auto":
        return dict(RERANK_DEFAULTS) if num_images < AUTO_RERANK_LIMIT else None
    check_rerank(rerank)
    return {**RERANK_DEFAULTS, **rerank}


def check_rerank(rerank: Any) -> None:
    """Check settings of the re-ranking given as a dict.

    Raises:
        ValueError: If it is no dict, an entry is unknown or out of its range.
    """
    known = [*RERANK_DEFAULTS, "approximate"]
    form = "must be None, 'auto' or a dict"
    if not isinstance(rerank, Mapping):
        raise UserError(f"rerank {form} with keys among {known}, got {rerank!r}.")
    for key in rerank:
        if key not in known:
            raise UserError(
                f"rerank has unknown entries {[key]}; use {', '.join(known)}"
                f"{did_you_mean(key, known)}; rerank {form} of these."
            )
    k1, k2, weight = ({**RERANK_DEFAULTS, **rerank}[key] for key in RERANK_DEFAULTS)
    in_range = _is_number(weight) and 0 <= weight <= 1
    if not is_whole(k1, 1) or not is_whole(k2, 1) or not in_range:
        raise UserError(
            f"rerank with k1={k1!r}, k2={k2!r}, lambda_value={weight!r}: k1 and k2 must be whole "
            "numbers, at least 1, and lambda_value within [0, 1]."
        )
    if rerank.get("approximate", False) not in (True, False):
        raise UserError(f"rerank: approximate={rerank['approximate']!r} must be True or False.")


def check_query_expansion(settings: Any) -> None:
    """Check settings of the query expansion; None means none.

    Raises:
        ValueError: If they are no dict, an entry is unknown or out of its range.
    """
    if settings is None:
        return
    known = list(EXPANSION_DEFAULTS)
    form = f"query_expansion must be None or a dict with keys among {known}"
    if not isinstance(settings, Mapping):
        raise UserError(f"{form}, got {settings!r}.")
    for key in settings:
        if key not in known:
            hint = did_you_mean(key, known)
            raise UserError(f"{form}; query_expansion has unknown entries {[key]}{hint}.")
    number, alpha = ({**EXPANSION_DEFAULTS, **settings}[key] for key in known)
    if not is_whole(number, 1):
        raise UserError(
            f"query_expansion: num_neighbors={number!r} must be a whole number, at least 1."
        )
    if not _is_number(alpha) or not alpha >= 0:
        raise UserError(f"query_expansion: alpha={alpha!r} must be a number, at least 0.")


def check_options(
    distance: Any,
    max_rank: Any,
    rerank: Any,
    query_expansion: Any,
    protocols: Iterable[EvaluationProtocol] = (),
) -> None:
    """Check everything that an evaluation can be told, before any image is read.

    Args:
        distance: See :func:`~mmreid_ext.evaluation.evaluate_set`, as for the next three.
        max_rank: Length of the CMC.
        rerank: Settings of the re-ranking.
        query_expansion: Settings of the query expansion.
        protocols: The protocols known already, which must go with the others.

    Raises:
        ValueError: If one can't be used, or two don't go together.
    """
    if distance not in DISTANCES:
        raise UserError(
            f"distance={distance!r}{did_you_mean(distance, DISTANCES)} must be one of {DISTANCES}."
        )
    if not is_whole(max_rank, 1):
        raise UserError(f"max_rank={max_rank!r} must be a whole number, at least 1.")
    rerank_settings(rerank, 0)
    check_query_expansion(query_expansion)
    if query_expansion is not None and distance != "cosine":
        _refuse_expansion(f"distance={distance!r}")
    for protocol in protocols:
        if query_expansion is not None and protocol.self_retrieval:
            _refuse_expansion(f"the protocol {type(protocol).__name__}")
        if protocol.counting == "paddleclas" and distance != "cosine":
            raise UserError(
                f"{type(protocol).__name__} counts as PaddleClas does, which needs "
                f"distance='cosine', got {distance!r}."
            )


def _refuse_expansion(given: str) -> None:
    raise UserError(
        "Query expansion averages normalised embeddings of queries and of another gallery: it "
        "needs distance='cosine' and a protocol with separate queries; it does not go with "
        f"{given}. Use query_expansion=None there."
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


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
