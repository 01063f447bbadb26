"""Check the options of an evaluation before any image is read.

One default of re-ranking holds wherever a test set is evaluated (``ReIDMetric``, ``evaluate_set``,
the command lines): ``'auto'``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.settings import (
    DISTANCES,
    check_query_expansion,
    rerank_settings,
)
from mmreid_ext.protocols import EvaluationProtocol
from mmreid_ext.setting_checks import is_whole
from mmreid_ext.suggest import did_you_mean


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
