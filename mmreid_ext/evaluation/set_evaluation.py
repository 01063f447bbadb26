"""Evaluate one test set under its protocol: splits in, one set of figures out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.distributed import broadcast_object, is_main
from mmreid_ext.errors import UserError
from mmreid_ext.protocols import EvaluationProtocol, Split, build_protocol
from mmreid_ext.protocols.image_table import JUNK

from .embedding_metrics import embedding_metrics
from .embedding_set import EmbeddingSet
from .neighbors import Progress
from .query_expansion import expand_queries
from .ranking import evaluate_retrieval
from .rerank_options import rerank_settings
from .retrieval_result import RetrievalResult
from .trials import Scores, TrialAverager

_SHOWN = 5  # names of queries in a message


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
        query_names, query_pids, query_camids: What the rows of the per-query scores show, shape
            (Q,).
        seconds: Time taken, without the extraction of features.
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

    @property
    def unanswerable(self) -> str:
        """Which queries had no match and count nowhere, in words; empty if there are none."""
        places = np.flatnonzero(~np.isfinite(self.plain.ap))
        if not len(places):
            return ""
        shown = [
            f"{self.query_names[i] or f'query {i}'} (identity {self.query_pids[i]})"
            for i in places[:_SHOWN]
        ]
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        return (
            f"{len(places)} of {len(self.plain.ap)} queries have no match and are not counted: "
            f"{', '.join(shown)}{more}"
        )

    def metrics(self) -> dict[str, float]:
        """Percent by metric key (``mAP``, ``rerank/mAP``, …), without the name of the set."""
        values = self.plain.percent() | {key: 100 * value for key, value in self.extras.items()}
        if self.reranked is not None:
            values |= {f"rerank/{key}": value for key, value in self.reranked.percent().items()}
        return values


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
    _check_query_expansion(query_expansion, protocol, distance)
    splits = list(protocol.splits(images))
    first_trial = [split for split in splits if split.trial == splits[0].trial]
    # In one of many draws a camera may be left without a query that matches.
    answerable = [split for split in splits if valid_queries(images, split).any()]
    if not answerable:
        raise NoValidQueryError(explain_no_match(images, splits[0]))
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
    )


def _check_query_expansion(
    settings: Mapping[str, Any] | None, protocol: EvaluationProtocol, distance: str
) -> None:
    if settings is None:
        return
    unknown = set(settings) - {"num_neighbors", "alpha"}
    if unknown:
        raise UserError(
            f"query_expansion has unknown entries {sorted(unknown)}; use num_neighbors, alpha."
        )
    if distance != "cosine" or protocol.self_retrieval:
        raise UserError(
            "Query expansion averages normalised embeddings of queries and of another gallery: it "
            f"needs distance='cosine' (got {distance!r}) and a protocol with separate queries (got "
            f"{type(protocol).__name__})."
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
        known = torch.from_numpy(self.images.pids[split.gallery] != JUNK).to(self.device)
        return evaluate_retrieval(
            self._expanded(query, gallery[known]),
            gallery,
            self.images.pids[split.query],
            self.images.pids[split.gallery],
            split.query_camids,
            split.gallery_camids,
            distance=self.distance,
            max_rank=self.max_rank,
            rerank=rerank,
            protocol=counting,
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
        images = self.images.take(self.images.pids != JUNK)
        feats, is_query = images.feats.to(self.device), None
        if not self.protocol.self_retrieval:
            is_query = images.roles == "query"
            rows = torch.from_numpy(is_query).to(self.device)
            feats = feats.float().clone()
            feats[rows] = self._expanded(feats[rows], feats[~rows])
        return embedding_metrics(
            feats, images.pids, is_query, nmi=self.protocol.nmi, distance=self.distance
        )

    def _expanded(self, query: Tensor, gallery: Tensor) -> Tensor:
        if self.query_expansion is None:
            return query
        return expand_queries(query, gallery, **self.query_expansion)


def valid_queries(images: EmbeddingSet, split: Split) -> np.ndarray:
    """Mask (Q,) of the queries whose gallery holds a match that the camera rule leaves in it."""
    query_pids, gallery_pids = images.pids[split.query], images.pids[split.gallery]
    same_identity = np.where(query_pids == JUNK, 0, _count(gallery_pids, query_pids))
    if split.query_camids is None or split.gallery_camids is None:
        return same_identity > 0
    query = np.stack([query_pids, split.query_camids], axis=1)
    gallery = np.stack([gallery_pids, split.gallery_camids], axis=1)
    _, codes = np.unique(np.concatenate([query, gallery]), axis=0, return_inverse=True)
    codes = codes.reshape(-1)
    return same_identity > _count(codes[len(query) :], codes[: len(query)])


def _count(haystack: np.ndarray, needles: np.ndarray) -> np.ndarray:
    """How often each of ``needles`` occurs in ``haystack``."""
    values, counts = np.unique(haystack, return_counts=True)
    if not len(values):
        return np.zeros(len(needles), dtype=np.int64)
    place = np.minimum(np.searchsorted(values, needles), len(values) - 1)
    return np.where(values[place] == needles, counts[place], 0)


def explain_no_match(images: EmbeddingSet, split: Split) -> str:
    """Say why no query of a split has a match: counts, the likely cause, the remedy."""
    query_pids, gallery_pids = images.pids[split.query], images.pids[split.gallery]
    shared = np.intersect1d(query_pids, gallery_pids)
    name = images.title
    text = (
        f"Test set {name!r} has no query that could be answered: {len(query_pids)} queries of "
        f"{len(np.unique(query_pids))} identities, {len(gallery_pids)} gallery images of "
        f"{len(np.unique(gallery_pids))} identities, {len(shared)} identities in common. "
    )
    if not len(shared):
        return text + (
            "The identities of query and gallery differ: check that both are read with the same "
            "numbering "
            f"(queries begin {np.unique(query_pids)[:5].tolist()}, "
            f"gallery begins {np.unique(gallery_pids)[:5].tolist()})."
        )
    cameras = np.unique(split.query_camids) if split.query_camids is not None else []
    return text + (
        "Every match comes from the query's own camera, and the protocol removes those (query "
        "cameras "
        f"{list(map(int, cameras))}). If the images have no camera labels, use the protocol "
        "'no_camera': "
        f"ReIDMetric(protocols={{{name!r}: 'no_camera'}}), or --protocol no_camera on the "
        "command line."
    )
