"""Check the settings of a ranking: distance, ranks, re-ranking, query expansion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.setting_checks import is_number, is_whole
from mmreid_ext.suggest import did_you_mean

K1, K2, LAMBDA = 20, 6, 0.3  # Zhong et al., CVPR 2017
RERANK_DEFAULTS: dict[str, Any] = dict(k1=K1, k2=K2, lambda_value=LAMBDA)
DISTANCES = ("cosine", "euclidean")
COUNTINGS = ("standard", "paddleclas")
EXPANSION_DEFAULTS: dict[str, Any] = dict(num_neighbors=5, alpha=0.0)
AUTO_RERANK_LIMIT = 100_000

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, in all) after each piece of work."""


def check_choices(
    distance: str, counting: str, max_rank: int, rerank: Mapping[str, Any] | None
) -> None:
    """Check the settings of a ranking; see :func:`~.ranking.evaluate_retrieval`.

    Raises:
        ValueError: If one is unknown or out of its range, or two don't go together.
    """
    owner = "evaluate_retrieval"
    if distance not in DISTANCES:
        raise UserError(f"{owner}: distance={distance!r} is unknown; use one of {DISTANCES}.")
    if counting not in COUNTINGS:
        raise UserError(f"{owner}: counting={counting!r} is unknown; use one of {COUNTINGS}.")
    if counting == "paddleclas" and (distance != "cosine" or rerank is not None):
        raise UserError(
            f"{owner}: counting='paddleclas' needs distance='cosine' and rerank=None, "
            f"got distance={distance!r} and rerank={rerank!r}; use counting='standard'."
        )
    if max_rank < 1:
        raise UserError(f"{owner}: max_rank={max_rank} must be at least 1.")
    check_rerank(rerank or {})


def rerank_settings(
    rerank: str | Mapping[str, Any] | None, num_images: int
) -> dict[str, Any] | None:
    """Return complete settings of the re-ranking, or None for none.

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
    return {**RERANK_DEFAULTS, **check_rerank(rerank)}


def check_rerank(rerank: Any) -> Mapping[str, Any]:
    """Check settings of the re-ranking given as a dict, and return them.

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
    in_range = is_number(weight) and 0 <= weight <= 1
    if not is_whole(k1, 1) or not is_whole(k2, 1) or not in_range:
        raise UserError(
            f"rerank with k1={k1!r}, k2={k2!r}, lambda_value={weight!r}: k1 and k2 must be whole "
            "numbers, at least 1, and lambda_value within [0, 1]."
        )
    if rerank.get("approximate", False) not in (True, False):
        raise UserError(f"rerank: approximate={rerank['approximate']!r} must be True or False.")
    return rerank


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
    if not is_number(alpha) or not alpha >= 0:
        raise UserError(f"query_expansion: alpha={alpha!r} must be a number, at least 0.")
