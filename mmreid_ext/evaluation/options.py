"""Hold the options of an evaluation, with the only copy of their defaults, and check them early."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.settings import (
    DISTANCES,
    check_query_expansion,
    rerank_settings,
)
from mmreid_ext.evaluation.retrieval.verification.settings import check_open_set
from mmreid_ext.protocols import EvaluationProtocol
from mmreid_ext.setting_checks import is_whole
from mmreid_ext.suggest import did_you_mean


@dataclass(frozen=True)
class EvaluationOptions:
    """How test sets are evaluated, whatever their protocols. Checked when built.

    The defaults hold wherever a test set is evaluated: in ``ReIDMetric``, in ``evaluate_set`` and
    on the command lines.

    Args:
        distance: ``'cosine'`` or ``'euclidean'``.
        max_rank: Length of the CMC curve (longer where the protocol reports a higher rank).
        rerank: None for no re-ranked row, ``'auto'`` or settings, see :func:`rerank_settings`.
        query_expansion: None, or settings of :func:`expand_queries`. Needs the cosine.
        open_set: None, True, or settings of :func:`check_open_set`. Needs plain cosines.

    Raises:
        ValueError: If an option can't be used, or two don't go together.
    """

    distance: str = "cosine"
    max_rank: int = 50
    rerank: str | Mapping[str, Any] | None = "auto"
    query_expansion: Mapping[str, Any] | None = None
    open_set: Mapping[str, Any] | bool | None = None

    def __post_init__(self) -> None:
        distance = self.distance
        if distance not in DISTANCES:
            raise UserError(
                f"Evaluation: distance={distance!r}{did_you_mean(distance, DISTANCES)} is unknown; "
                f"use one of {DISTANCES}."
            )
        if not is_whole(self.max_rank, 1):
            raise UserError(
                f"Evaluation: max_rank={self.max_rank!r} must be a whole number, at least 1."
            )
        rerank_settings(self.rerank, 0)
        check_query_expansion(self.query_expansion)
        if self.query_expansion is not None and distance != "cosine":
            _refuse_expansion(f"distance={distance!r}")
        plain = distance == "cosine" and self.query_expansion is None
        if check_open_set(self.open_set) and not plain:
            raise UserError(
                "Evaluation: open_set needs the cosine of single images, got "
                f"distance={distance!r}, query_expansion={self.query_expansion!r}; leave one out."
            )

    def check_protocols(self, protocols: Iterable[EvaluationProtocol]) -> None:
        """Check that the options go with the protocols of the test sets.

        Raises:
            ValueError: If one doesn't; the message says what to change.
        """
        for protocol in protocols:
            if self.query_expansion is not None and protocol.self_retrieval:
                _refuse_expansion(f"the protocol {type(protocol).__name__}")
            if check_open_set(self.open_set) and (protocol.self_retrieval or protocol.random):
                raise UserError(
                    f"{type(protocol).__name__}: open_set needs a protocol with one gallery beside "
                    "the queries, such as 'camera' or 'no_camera'. Use open_set=None there."
                )
            if protocol.counting == "paddleclas" and self.distance != "cosine":
                raise UserError(
                    f"{type(protocol).__name__} counts as PaddleClas does, which needs "
                    f"distance='cosine', got {self.distance!r}."
                )


def _refuse_expansion(given: str) -> None:
    raise UserError(
        "Query expansion averages normalised embeddings of queries and of another gallery: it "
        "needs distance='cosine' and a protocol with separate queries; it does not go with "
        f"{given}. Use query_expansion=None there."
    )
