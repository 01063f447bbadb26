"""Evaluate one test set under its protocol: its splits are ranked and averaged."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.settings import Progress, rerank_settings
from mmreid_ext.protocols import (
    EvaluationProtocol,
    Labels,
    MatchReport,
    Split,
    build_protocol,
    match_report,
    unknown_cameras_message,
)

from .embedding_set import EmbeddingSet
from .options import EvaluationOptions
from .set_result import SetResult
from .split_ranking import SplitRanking
from .trials import Scores, TrialAverager


class NoValidQueryError(UserError):
    """No query of a test set has anything to find."""


def evaluate_set(
    images: EmbeddingSet,
    protocol: str | Mapping[str, Any] | EvaluationProtocol | None = None,
    *,
    distance: str = EvaluationOptions.distance,
    max_rank: int = EvaluationOptions.max_rank,
    rerank: str | Mapping[str, Any] | None = EvaluationOptions.rerank,
    query_expansion: Mapping[str, Any] | None = EvaluationOptions.query_expansion,
    open_set: Mapping[str, Any] | bool | None = EvaluationOptions.open_set,
    device: str | torch.device = "cpu",
    distributed: bool = False,
    progress: Progress | None = None,
    pid_names: Mapping[int, str] | None = None,
) -> SetResult:
    """Evaluate the embeddings of one test set.

    Args:
        images: One test set.
        protocol: See :func:`build_protocol`. Defaults to the camera protocol.
        distance: ``'cosine'`` or ``'euclidean'``.
        max_rank: Length of the CMC curve (longer where the protocol reports a higher rank).
        rerank: See :func:`rerank_settings`. Protocols that query every image against all others
            have no re-ranked row.
        query_expansion: None, or a dict with some of the settings of :func:`expand_queries`: both
            rows rank expanded queries. Needs the cosine.
        open_set: None, True, or settings of :func:`check_open_set`: also reject strangers.
        device: Where to rank.
        distributed: Whether the ranks share the queries among them. All ranks hold the same images
            and call this; all return the same.
        progress: Called with (stage, done, in all) during long work.
        pid_names: Names that the user gave to identities, for messages.

    Raises:
        NoValidQueryError: If no query has a match in the gallery; the message says why.
        ValueError: If the protocol and the images don't fit.
    """
    start = time.perf_counter()
    protocol = build_protocol(protocol)
    options = EvaluationOptions(distance, max_rank, rerank, query_expansion, open_set)
    options.check_protocols([protocol])
    labels = Labels.of(images, protocol.matching_split(images))
    report = match_report(labels, images.title, pid_names)
    splits = list(protocol.splits(images))
    settings = None if protocol.self_retrieval else rerank_settings(rerank, _num_images(splits))
    ranking = SplitRanking(images, protocol, options, device, distributed, progress)
    plain, reranked = _average(ranking, _answerable(images, splits, report), settings)
    return SetResult(
        name=images.title,
        protocol=protocol.describe(),
        plain=plain,
        reranked=reranked,
        rerank=settings,
        **_described(images, splits, plain.rows, protocol),
        extras=ranking.extras(),
        open_set=ranking.open_set(splits[0]),
        seconds=time.perf_counter() - start,
        unknown_cameras=unknown_cameras_message(labels, images.title),
        no_match_causes=report.causes,
        pid_names=pid_names or {},
    )


def _num_images(splits: Sequence[Split]) -> int:
    return sum(len(split.query) + len(split.gallery) for split in splits)


def _described(
    images: EmbeddingSet, splits: Sequence[Split], rows: np.ndarray, protocol: EvaluationProtocol
) -> dict[str, Any]:
    """Say how many images were ranked, and what the queries, some rows of the images, show."""
    return dict(
        num_queries=sum(len(s.query) for s in splits if s.trial == splits[0].trial),
        num_gallery=len(splits[0].gallery),
        query_names=images.names[rows],
        query_pids=images.pids[rows],
        query_camids=images.camids[rows],
        self_retrieval=protocol.self_retrieval,
        pooled=splits[0].pools is not None,
    )


def _answerable(images: EmbeddingSet, splits: Sequence[Split], report: MatchReport) -> list[Split]:
    """Pick the splits to rank: in one of many samples a camera may be left without a match."""
    found = [s for s in splits if not Labels.of(images, s).without_match().all()]
    if not found:
        raise NoValidQueryError(report.text)
    return found


def _average(
    ranking: SplitRanking, splits: Sequence[Split], settings: dict[str, Any] | None
) -> tuple[Scores, Scores | None]:
    """Rank every split, and average the scores: without re-ranking, and with it if it is on."""
    ways = [None] if settings is None else [None, settings]
    averages = [TrialAverager(ranking.protocol, ranking.max_rank) for _ in ways]
    for split in splits:
        for average, result in zip(averages, ranking.rank(split, ways), strict=True):
            average.add(split, result)
    plain, *reranked = [average.scores() for average in averages]
    return plain, reranked[0] if reranked else None
