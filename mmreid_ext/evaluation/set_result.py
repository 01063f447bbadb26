"""Hold the metrics of one test set, and name them before they are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mmreid_ext.evaluation.retrieval.verification.open_set import OpenSetResult
from mmreid_ext.evaluation.retrieval.verification.settings import open_set_name, open_set_names
from mmreid_ext.protocols import EvaluationProtocol
from mmreid_ext.shorten import shorten

from .trials import Scores

EXTRA_METRICS = ("R-precision", "MAP@R", "NMI")  # of the protocols with `embedding_metrics`


@dataclass
class SetResult:
    """Metrics of one test set.

    Args:
        name: Name of the test set.
        protocol: Name and settings of the protocol.
        num_queries: Queries of one trial.
        num_gallery: Gallery images of one split.
        plain: Scores by the distance of embeddings.
        reranked: Scores after k-reciprocal re-ranking, or None.
        rerank: Settings of the re-ranking, or None.
        query_names: Path of each query, shape (Q,), as the rows of the per-query scores.
        query_pids: Identity of each query, shape (Q,).
        query_camids: Camera of each query, shape (Q,).
        extras: Further metrics (fractions), for example R-precision.
        seconds: Time taken, without the extraction of features.
        unknown_cameras: How many images have no known camera, in words; empty if all have one.
        pid_names: Names that the user gave to identities, for messages.
        open_set: Figures of open-set identification, if they were asked for.
        no_match_causes: Why some queries have no match, in words; empty if all have one. Where
            splits are random, those of one split.
        self_retrieval: Whether every image was asked, against all others.
        pooled: Whether queries are means of several images. Their similarities say nothing about
            pairs of images.
    """

    name: str
    protocol: dict[str, Any]
    num_queries: int
    num_gallery: int
    plain: Scores
    reranked: Scores | None
    rerank: dict[str, Any] | None
    query_names: np.ndarray
    query_pids: np.ndarray
    query_camids: np.ndarray
    extras: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    unknown_cameras: str = ""
    pid_names: Mapping[int, str] = field(default_factory=dict)
    no_match_causes: str = ""
    open_set: OpenSetResult | None = None
    self_retrieval: bool = False
    pooled: bool = False

    @property
    def unanswerable(self) -> str:
        """Say which queries had no match and count nowhere; empty if there are none."""
        places = np.flatnonzero(~np.isfinite(self.plain.ap))
        if not len(places):
            return ""
        queries = shorten(
            f"{self.query_names[i] or f'query {i}'} (identity {self._person(i)})" for i in places
        )
        causes = f". {self.no_match_causes}" if self.no_match_causes else ""
        return (
            f"{len(places)} of {len(self.plain.ap)} queries have no match and are not counted: "
            f"{queries}{causes}"
        )

    def _person(self, place: int) -> str:
        pid = int(self.query_pids[place])
        return str(self.pid_names.get(pid, pid))

    def operating_points(self) -> list[dict[str, Any]]:
        """Return similarities at false positive rates, without re-ranking, the highest rate first.

        Returns:
            By rate: ``fpr``; ``similarity``, the lowest that is accepted; ``tpr``; ``negatives``,
            how many pairs of different people were counted; ``dataset``; ``self_retrieval``.
            Similarity and ``tpr`` are None where there are fewer than ``1 / fpr`` such pairs. Empty
            for pooled queries.
        """
        if self.pooled:
            return []
        points = []
        for fpr, similarity in sorted(self.plain.threshold_at_fpr.items(), reverse=True):
            known = bool(np.isfinite(similarity))
            points.append(
                dict(
                    fpr=fpr,
                    similarity=similarity if known else None,
                    tpr=self.plain.tpr_at_fpr[fpr] if known else None,
                    negatives=self.plain.num_negatives,
                    dataset=self.name,
                    self_retrieval=self.self_retrieval,
                )
            )
        return points

    def metrics(self) -> dict[str, float]:
        """Return percent by metric key (``mAP``, ``rerank/mAP``), without the name of the set."""
        values = self.plain.percent() | {key: 100 * value for key, value in self.extras.items()}
        if self.open_set is not None:
            rates = self.open_set.dir_at_fpr.items()
            values |= {open_set_name(fpr): 100 * rate for fpr, rate in rates}
        if self.reranked is not None:
            values |= {f"rerank/{key}": value for key, value in self.reranked.percent().items()}
        return values


def metric_names(protocol: EvaluationProtocol, reranked: bool, open_set: bool = False) -> list[str]:
    """Name the keys of :meth:`SetResult.metrics` before anything is evaluated.

    Args:
        protocol: The protocol.
        reranked: Whether there is a re-ranked row.
        open_set: Whether there are figures of open-set identification.
    """
    keys = ["mAP", "mINP", *(f"R{k}" for k in protocol.ranks)]
    if protocol.random:
        keys += [f"{key}_std" for key in keys]
    extras = EXTRA_METRICS if protocol.embedding_metrics else ()
    rows = [f"rerank/{key}" for key in keys] if reranked and not protocol.self_retrieval else []
    return [*keys, *extras, *(open_set_names() if open_set else ()), *rows]
