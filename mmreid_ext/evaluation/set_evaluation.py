"""Evaluate one test set under its protocol: splits in, one set of figures out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from mmreid_ext.distributed import broadcast_object, is_main
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.embedding_metrics import embedding_metrics
from mmreid_ext.evaluation.retrieval.query_expansion import expand_queries
from mmreid_ext.evaluation.retrieval.ranking import evaluate_retrieval
from mmreid_ext.evaluation.retrieval.result import RetrievalResult
from mmreid_ext.evaluation.retrieval.settings import Progress, rerank_settings
from mmreid_ext.protocols import (
    JUNK,
    EvaluationProtocol,
    Labels,
    Split,
    build_protocol,
    match_report,
    unknown_cameras_message,
)
from mmreid_ext.shorten import shorten

from .embedding_set import EmbeddingSet
from .rerank_options import check_options
from .trials import Scores, TrialAverager

EXTRA_METRICS = ("R-precision", "MAP@R", "NMI")  # of the protocols with `embedding_metrics`


class NoValidQueryError(UserError):
    """No query of a test set has anything to find."""


@dataclass
class SetResult:
    """Figures of one test set.

    Args:
        name: Name of the test set.
        protocol: Name and settings of the protocol.
        num_queries: Queries of one trial.
        num_gallery: Gallery images of one split.
        plain: Scores by the distance of embeddings.
        reranked: Scores after k-reciprocal re-ranking, or None.
        rerank: Settings of the re-ranking, or None.
        extras: Further figures (fractions), for example R-precision.
        no_match_causes: Why some queries have no match, in words; empty if all have one. Where
            splits are random, those of one split.
        unknown_cameras: How many images have no known camera, in words; empty if that is not so.
        query_names, query_pids, query_camids: What the rows of the per-query scores show, shape
            (Q,).
        seconds: Time taken, without the extraction of features.
        pid_names: Names that the user gave to identities, for messages.
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

    @property
    def unanswerable(self) -> str:
        """Which queries had no match and count nowhere, in words; empty if there are none."""
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

    def metrics(self) -> dict[str, float]:
        """Percent by metric key (``mAP``, ``rerank/mAP``, …), without the name of the set."""
        values = self.plain.percent() | {key: 100 * value for key, value in self.extras.items()}
        if self.reranked is not None:
            values |= {f"rerank/{key}": value for key, value in self.reranked.percent().items()}
        return values


def metric_names(protocol: EvaluationProtocol, reranked: bool) -> list[str]:
    """Keys of :meth:`SetResult.metrics` under a protocol, known before anything is evaluated.

    Args:
        protocol: The protocol.
        reranked: Whether there is a re-ranked row.
    """
    keys = ["mAP", "mINP", *(f"R{k}" for k in protocol.ranks)]
    if protocol.random:
        keys += [f"{key}_std" for key in keys]
    extras = EXTRA_METRICS if protocol.embedding_metrics else ()
    rows = [f"rerank/{key}" for key in keys] if reranked and not protocol.self_retrieval else []
    return [*keys, *extras, *rows]


def evaluate_set(
    images: EmbeddingSet,
    protocol: str | Mapping[str, Any] | EvaluationProtocol | None = None,
    *,
    distance: str = "cosine",
    max_rank: int = 50,
    rerank: str | Mapping[str, Any] | None = "auto",
    query_expansion: Mapping[str, Any] | None = None,
    device: str | torch.device = "cpu",
    distributed: bool = False,
    progress: Progress | None = None,
) -> SetResult:
    """Evaluate the embeddings of one test set.

    Args:
        images: One test set.
        protocol: See :func:`build_protocol`. Defaults to the camera protocol.
        distance: ``'cosine'`` or ``'euclidean'``.
        max_rank: Length of the CMC curve (longer where the protocol reports a higher rank).
        rerank: See :func:`rerank_settings`. Protocols that query every image against all others
            have no re-ranked row.
        query_expansion: None, or ``dict(num_neighbors=5, alpha=0.0)`` (or some of these): both rows
            rank expanded queries, see :func:`expand_queries`. Needs the cosine.
        device: Where to rank.
        distributed: All ranks hold the same images and call this; each ranks a share of the
            queries, all return the same.
        progress: Called with (stage, done, in all) during long work.

    Raises:
        NoValidQueryError: If no query has a match in the gallery; the message says why.
        ValueError: If the protocol and the images don't fit.
    """
    start = time.perf_counter()
    protocol = build_protocol(protocol)
    check_options(distance, max_rank, rerank, query_expansion, [protocol])
    labels = Labels.of(images, protocol.matching_split(images))
    splits = list(protocol.splits(images))
    first_trial = [split for split in splits if split.trial == splits[0].trial]
    # In one of many draws a camera may be left without a query that matches.
    answerable = [s for s in splits if not Labels.of(images, s).without_match().all()]
    if not answerable:
        raise NoValidQueryError(match_report(labels, images.title).text)
    num_images = sum(len(split.query) + len(split.gallery) for split in splits)
    settings = None if protocol.self_retrieval else rerank_settings(rerank, num_images)
    max_rank = max(max_rank, *protocol.ranks)
    ranking = _Ranking(
        images, protocol, max_rank, distance, query_expansion, device, distributed, progress
    )
    plain, reranked = TrialAverager(protocol, max_rank), TrialAverager(protocol, max_rank)
    for split in answerable:
        plain.add(split, ranking.rank(split, None))
        if settings is not None:
            reranked.add(split, ranking.rank(split, settings))
    scores = plain.scores()
    return SetResult(
        name=images.title,
        protocol=protocol.describe(),
        num_queries=sum(len(split.query) for split in first_trial),
        num_gallery=len(splits[0].gallery),
        plain=scores,
        reranked=None if settings is None else reranked.scores(),
        rerank=settings,
        query_names=images.names[scores.rows],
        query_pids=images.pids[scores.rows],
        query_camids=images.camids[scores.rows],
        extras=ranking.extras(),
        seconds=time.perf_counter() - start,
        unknown_cameras=unknown_cameras_message(labels, images.title),
        no_match_causes=match_report(labels, images.title).causes,
    )


@dataclass(frozen=True)
class _Ranking:
    """How the images of one set are ranked: everything but the split."""

    images: EmbeddingSet
    protocol: EvaluationProtocol
    max_rank: int
    distance: str
    query_expansion: Mapping[str, Any] | None
    device: str | torch.device
    distributed: bool
    progress: Progress | None

    def rank(self, split: Split, rerank: dict[str, Any] | None) -> RetrievalResult:
        # PaddleClas removes junk, as everybody does, when it re-ranks.
        counting = self.protocol.counting if rerank is None else "standard"
        query = self.images.feats[split.query].to(self.device)
        gallery = self.images.feats[split.gallery].to(self.device)
        labels = Labels.of(self.images, split)
        if self.query_expansion is not None:  # only then: the mask copies the gallery
            known = torch.from_numpy(labels.gallery_pids != JUNK).to(self.device)
            query = expand_queries(query, gallery[known], **self.query_expansion)
        return evaluate_retrieval(
            query,
            gallery,
            labels.query_pids,
            labels.gallery_pids,
            labels.query_camids,
            labels.gallery_camids,
            distance=self.distance,
            max_rank=self.max_rank,
            rerank=rerank,
            counting=counting,
            distributed=self.distributed,
            progress=self.progress,
        )

    def extras(self) -> dict[str, float]:
        """Figures beyond the ranking; from rank 0, since clustering takes all cores."""
        if not self.protocol.embedding_metrics:
            return {}
        values, problem = {}, None
        if is_main() or not self.distributed:
            try:
                values = self._embedding_metrics()
            except (ImportError, ValueError) as error:  # the others wait: raised on every rank
                problem = error
        if self.distributed:
            values, problem = broadcast_object((values, problem))
        if problem is not None:
            raise problem
        return values

    def _embedding_metrics(self) -> dict[str, float]:
        images = self.images
        is_asked = (images.roles == "query") | self.protocol.self_retrieval
        images = images.take((images.pids != JUNK) & ~(images.distractors & is_asked))
        feats, is_query = images.feats.to(self.device), None
        if not self.protocol.self_retrieval:
            is_query = images.roles == "query"
            if self.query_expansion is not None:
                rows = torch.from_numpy(is_query).to(self.device)
                feats = feats.float().clone()
                feats[rows] = expand_queries(feats[rows], feats[~rows], **self.query_expansion)
        return embedding_metrics(
            feats, _people(images), is_query, nmi=self.protocol.nmi, distance=self.distance
        )


def _people(images: EmbeddingSet) -> np.ndarray:
    """Identities, shape (N,), in which each distractor is a person of its own."""
    pids = images.pids.copy()
    lone = images.distractors
    pids[lone] = pids.max(initial=0) + 1 + np.arange(lone.sum())
    return pids
