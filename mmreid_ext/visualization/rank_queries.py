"""Rank queries for a picture: the worst of them, and the first ranks of their lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation import RetrievalResult
from mmreid_ext.evaluation.retrieval.full_precision import full_precision
from mmreid_ext.evaluation.retrieval.ranking import rank_by
from mmreid_ext.evaluation.retrieval.re_ranking import RerankedSimilarity, rerank_similarity
from mmreid_ext.evaluation.retrieval.settings import RERANK_DEFAULTS, check_choices, check_rerank
from mmreid_ext.evaluation.retrieval.similarity import FeatureSimilarity
from mmreid_ext.protocols import Labels, match_report

from .arrays import as_numpy
from .pair_blocks import DISTANCES, PairBlocks
from .ranked_lists import RankedList, RankedLists, top_matches

_SCORE_RANKS = (1, 5, 10)
_CMC_RANKS = 50


def rank_queries(
    query_feats: Tensor | np.ndarray,
    gallery_feats: Tensor | np.ndarray,
    query_pids: Tensor | np.ndarray,
    gallery_pids: Tensor | np.ndarray,
    query_camids: Tensor | np.ndarray | None = None,
    gallery_camids: Tensor | np.ndarray | None = None,
    *,
    distance: str = "cosine",
    topk: int = 10,
    limit: int | None = 100,
    rerank: Mapping[str, float] | bool | None = None,
    counting: str = "standard",
    pid_names: Mapping[int, str] | None = None,
) -> RankedLists:
    """Find the queries that went worst and the first ranks of their lists.

    Pictures and tables agree: both read the scores of
    :func:`~mmreid_ext.evaluation.evaluate_retrieval`. The lists of the chosen queries are computed
    from the same scores, a block of queries at a time.

    Args:
        query_feats: Shape (Q, D).
        gallery_feats: Shape (G, D).
        query_pids: Identities, shape (Q,), integers.
        gallery_pids: Identities, shape (G,); -1 is junk and removed.
        query_camids: Cameras, shape (Q,), or None for no camera rule.
        gallery_camids: Cameras, shape (G,), or None.
        distance: ``'cosine'`` or ``'euclidean'``.
        topk: Length of the lists. Defaults to 10.
        limit: Number of queries chosen, by worst AP; None: all valid ones. Defaults to 100.
        rerank: Settings of :func:`~mmreid_ext.evaluation.k_reciprocal_rerank` for a second list
            after re-ranking, ``True`` or ``{}`` for its defaults; None or False for no second list.
        counting: How the first list is scored, ``'standard'`` or ``'paddleclas'``. The list itself
            leaves out what the camera rule removes with either.
        pid_names: Names that the user gave to identities, for pictures and messages.

    Returns:
        The lists, worst query first (by AP before re-ranking; equal AP in the order given).

    Raises:
        ValueError: If the arrays don't correspond, ``topk`` or ``limit`` is below 1, or no query
            has a match.
    """
    _check_numbers(topk=topk, limit=limit)
    settings = _rerank_settings(rerank)
    columns = (query_pids, gallery_pids, query_camids, gallery_camids)
    pairs = PairBlocks(query_feats, gallery_feats, *columns, distance=distance)
    check_choices(distance, counting, _CMC_RANKS, None)
    plain = rank_by(pairs.similarity, pairs.inputs, _CMC_RANKS, counting)
    chosen = _worst(plain.ap, limit, columns, pid_names)
    name = "Ranking" if settings is None else "Original"
    lists = [_original_list(pairs, plain, chosen, topk, name)]
    if settings is not None:
        lists.append(_reranked_list(pairs, chosen, topk, settings))
    return RankedLists(
        chosen,
        tuple(lists),
        pairs.count(pairs.matches, chosen),
        pairs.count(pairs.removed, chosen),
        len(gallery_feats) - len(pairs.gallery_rows),
        as_numpy(query_pids).copy(),
        as_numpy(gallery_pids).copy(),
        None if query_camids is None else as_numpy(query_camids).copy(),
        None if gallery_camids is None else as_numpy(gallery_camids).copy(),
        pid_names=pid_names,
    )


def _check_numbers(**numbers: int | None) -> None:
    for name, value in numbers.items():
        if value is not None and value < 1:
            raise UserError(f"rank_queries: {name}={value} must be at least 1.")


def _rerank_settings(rerank: Mapping[str, float] | bool | None) -> dict[str, Any] | None:
    """Complete settings of the re-ranking, or None for none."""
    if rerank is None or rerank is False:
        return None
    return {**RERANK_DEFAULTS, **check_rerank({} if rerank is True else rerank)}


def _worst(
    ap: np.ndarray, limit: int | None, columns: tuple, pid_names: Mapping[int, str] | None
) -> np.ndarray:
    """Rows of the valid queries by rising AP."""
    valid = np.flatnonzero(np.isfinite(ap))
    if not len(valid):
        pids = [as_numpy(column).astype(np.int64) for column in columns[:2]]
        camids = [None if c is None else as_numpy(c).astype(np.int64) for c in columns[2:]]
        labels = Labels(pids[0], pids[1], camids[0], camids[1])
        raise UserError(
            "No query has a match in the gallery, so there is nothing to judge. "
            f"{match_report(labels, 'the given images', pid_names).text}"
        )
    return valid[np.argsort(ap[valid], kind="stable")][:limit]


def _original_list(
    pairs: PairBlocks, result: RetrievalResult, chosen: np.ndarray, topk: int, name: str
) -> RankedList:
    """Lists by the distance of the embeddings."""
    columns, scores = top_lists(pairs, pairs.similarity, chosen, topk)
    distances = pairs.to_distance(torch.from_numpy(scores)).numpy()
    return _ranked_list(pairs, result, chosen, columns, distances, name, DISTANCES[pairs.distance])


def _reranked_list(pairs: PairBlocks, chosen: np.ndarray, topk: int, settings: dict) -> RankedList:
    """Lists by re-ranked distance. All queries take part, as they do in the score."""
    similarity = reranked_similarity(pairs, settings)
    result = rank_by(similarity, pairs.inputs, _CMC_RANKS)
    columns, scores = top_lists(pairs, similarity, chosen, topk)
    words = "k-reciprocal distance, k1 {k1}, k2 {k2}, λ {lambda_value:g}".format(**settings)
    return _ranked_list(pairs, result, chosen, columns, -scores, "Re-ranked", words)


def reranked_similarity(pairs: PairBlocks, settings: Mapping[str, Any]) -> RerankedSimilarity:
    """Prepare re-ranked scores of all pairs, as the evaluator does.

    Args:
        pairs: Queries and gallery.
        settings: Complete settings of the re-ranking.
    """
    inputs = pairs.inputs
    with full_precision(inputs.gallery.device):
        return rerank_similarity(
            inputs.query, inputs.gallery, gallery_rows=inputs.gallery_rows, **settings
        )


def top_lists(
    pairs: PairBlocks,
    similarity: FeatureSimilarity | RerankedSimilarity,
    chosen: np.ndarray,
    topk: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the first ranks of chosen queries, a block at a time.

    Args:
        pairs: Queries and gallery without junk, G' images.
        similarity: Scores to rank by.
        chosen: Query rows, shape (N,).
        topk: Length K of the lists.

    Returns:
        Columns of the gallery without junk and scores, best first, each of shape (N, K); a list
        that is too short ends in -1 and NaN.
    """
    everyone = torch.arange(len(pairs.inputs.gallery), device=pairs.inputs.gallery.device)
    blocks = [
        top_matches(
            pairs.scores(rows, similarity),
            pairs.removed(rows),
            pairs.matches(rows),
            topk,
            similarity.ties(rows[:, None], everyone),
        )
        for rows in pairs.split(chosen)
    ]
    columns, scores = (np.concatenate(block) for block in zip(*blocks, strict=True))
    return columns, scores


def _ranked_list(
    pairs: PairBlocks,
    result: RetrievalResult,
    chosen: np.ndarray,
    columns: np.ndarray,
    distances: np.ndarray,
    name: str,
    words: str,
) -> RankedList:
    """Join columns, as rows of the gallery that was given, with the evaluator's metrics."""
    present = columns >= 0
    same = pairs.inputs.gallery_pids.cpu().numpy()[columns]  # column -1 is masked below
    scores = {"mAP": result.mAP, "mINP": result.mINP}
    scores |= {f"R{rank}": float(result.cmc[rank - 1]) for rank in _SCORE_RANKS}
    return RankedList(
        name=name,
        distance=words,
        scores=scores,
        cmc=np.asarray(result.cmc),
        roc=np.asarray(result.roc),
        all_ap=np.asarray(result.ap),
        ap=np.asarray(result.ap)[chosen],
        first_match=np.asarray(result.first_hit)[chosen],
        indices=np.where(present, pairs.gallery_rows[columns], -1),
        distances=distances,
        matches=present & (same == pairs.inputs.query_pids.cpu().numpy()[chosen, None]),
    )
