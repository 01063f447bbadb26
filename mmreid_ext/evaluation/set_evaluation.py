"""Evaluate one test set under its protocol: splits in, one set of figures out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .embedding_set import EmbeddingSet
from .paddleclas_counting import evaluate_like_paddleclas
from .protocols import EvaluationProtocol, Split, build_protocol
from .ranking import evaluate_retrieval
from .retrieval_result import RetrievalResult
from .trials import Scores, TrialAverager

RERANK_DEFAULTS = dict(k1=20, k2=6, lambda_value=0.3)
AUTO_RERANK_LIMIT = 100_000


class NoValidQueryError(ValueError):
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
) -> SetResult:
    """Evaluate the embeddings of one test set.

    Args:
        images: One test set.
        protocol: See :func:`build_protocol`. Defaults to the camera protocol.
        distance: ``'cosine'`` or ``'euclidean'``.
        max_rank: Length of the CMC curve (longer where the protocol reports a higher rank).
        rerank: None for none, ``dict(k1=20, k2=6, lambda_value=0.3)`` (missing keys default to
            these), or ``'auto'``: these defaults where the splits together rank fewer than 100,000
            images. Protocols that query every image against all others have no re-ranked row.

    Raises:
        NoValidQueryError: If no query has a match in the gallery; the message says why.
        ValueError: If the protocol and the images don't fit.
    """
    start = time.perf_counter()
    protocol = build_protocol(protocol)
    splits = list(protocol.splits(images))
    settings = _rerank_settings(rerank, protocol, splits)
    max_rank = max(max_rank, *protocol.ranks)
    if not any(valid_queries(images, split).any() for split in splits):
        raise NoValidQueryError(explain_no_match(images, splits[0]))
    plain, reranked = TrialAverager(protocol, max_rank), TrialAverager(protocol, max_rank)
    for split in splits:
        if not valid_queries(images, split).any():
            continue  # for example a camera without queries that match, in one of many draws
        plain.add(split, _rank(images, split, protocol, distance, max_rank, None))
        if settings is not None:
            reranked.add(split, _rank(images, split, protocol, distance, max_rank, settings))
    scores = plain.scores()
    return SetResult(
        name=str(images.datasets[0]),
        protocol=protocol.describe(),
        num_queries=sum(len(s.query) for s in splits if s.trial == splits[0].trial),
        num_gallery=len(splits[0].gallery),
        plain=scores,
        reranked=None if settings is None else reranked.scores(),
        rerank=settings,
        query_names=images.names[scores.rows],
        query_pids=images.pids[scores.rows],
        query_camids=images.camids[scores.rows],
        extras=_extras(images, protocol, distance),
        seconds=time.perf_counter() - start,
    )


def _rank(
    images: EmbeddingSet,
    split: Split,
    protocol: EvaluationProtocol,
    distance: str,
    max_rank: int,
    rerank: dict[str, Any] | None,
) -> RetrievalResult:
    arguments = (
        images.feats[split.query],
        images.feats[split.gallery],
        images.pids[split.query],
        images.pids[split.gallery],
        split.query_camids,
        split.gallery_camids,
    )
    if protocol.counting == "paddleclas" and rerank is None:
        return evaluate_like_paddleclas(*arguments, max_rank=max_rank)
    return evaluate_retrieval(*arguments, distance=distance, max_rank=max_rank, rerank=rerank)


def _rerank_settings(
    rerank: str | Mapping[str, Any] | None, protocol: EvaluationProtocol, splits: list[Split]
) -> dict[str, Any] | None:
    if rerank is None or protocol.self_retrieval:
        return None
    if rerank == "auto":
        total = sum(len(split.query) + len(split.gallery) for split in splits)
        return dict(RERANK_DEFAULTS) if total < AUTO_RERANK_LIMIT else None
    if not isinstance(rerank, Mapping) or set(rerank) - set(RERANK_DEFAULTS):
        raise ValueError(
            f"rerank must be None, 'auto' or a dict with keys among {list(RERANK_DEFAULTS)}, got "
            f"{rerank!r}."
        )
    return {**RERANK_DEFAULTS, **rerank}


def _extras(images: EmbeddingSet, protocol: EvaluationProtocol, distance: str) -> dict[str, float]:
    if not protocol.self_retrieval:
        return {}
    from .embedding_metrics import self_retrieval_metrics

    nmi = getattr(protocol, "nmi", None)
    return self_retrieval_metrics(images.feats, images.pids, nmi=nmi, distance=distance)


def valid_queries(images: EmbeddingSet, split: Split) -> np.ndarray:
    """Mask (Q,) of the queries whose gallery holds a match that the camera rule leaves in it."""
    query_pids, gallery_pids = images.pids[split.query], images.pids[split.gallery]
    same_identity = _count(gallery_pids, query_pids)
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
    name = images.datasets[0]
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
        f"ReIDMetric(protocols={{{str(name)!r}: 'no_camera'}}), or --protocol no_camera on the "
        "command line."
    )
