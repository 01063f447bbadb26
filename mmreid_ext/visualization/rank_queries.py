"""From embeddings to ranked lists."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation import RetrievalResult, evaluate_retrieval
from mmreid_ext.evaluation.retrieval.full_precision import full_precision
from mmreid_ext.evaluation.retrieval.ranking import rank_by
from mmreid_ext.evaluation.retrieval.re_ranking import RerankedSimilarity, rerank_similarity
from mmreid_ext.evaluation.retrieval.settings import RERANK_DEFAULTS
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
) -> RankedLists:
    """Find the queries that went worst and the first ranks of their lists.

    The scores come from :func:`~mmreid_ext.evaluation.evaluate_retrieval`, so that pictures and
    tables agree; distances are computed again for the chosen queries alone, a block at a time.

    Args:
        query_feats: Shape (Q, D).
        gallery_feats: Shape (G, D).
        query_pids: Identities, shape (Q,), integers.
        gallery_pids: Identities, shape (G,); -1 is junk and removed.
        query_camids: Cameras, shape (Q,), or None for no camera rule.
        gallery_camids: Cameras, shape (G,), or None.
        distance: ``'cosine'`` or ``'euclidean'``.
        topk: Length of the lists. Defaults to 10.
        limit: Queries chosen, by worst AP; None takes all valid ones. Defaults to 100.
        rerank: Settings of :func:`~mmreid_ext.evaluation.k_reciprocal_rerank` for a second list
            after re-ranking, ``True`` or ``{}`` for its defaults; None or False for no second list.
        counting: ``'standard'`` or ``'paddleclas'``, how the first list is scored; the list itself
            leaves out what the camera rule removes either way.

    Returns:
        The lists, worst query first (by AP before re-ranking; equal AP in the order given).

    Raises:
        ValueError: If the arrays don't correspond, ``topk`` or ``limit`` is below 1, or no query
            has a true match.
    """
    for name, value in (("topk", topk), ("limit", limit)):
        if value is not None and value < 1:
            raise UserError(f"{name} must be at least 1, got {value}.")
    arrays = (query_feats, gallery_feats, query_pids, gallery_pids, query_camids, gallery_camids)
    pairs = PairBlocks(*arrays, distance=distance)
    plain = evaluate_retrieval(*arrays, distance=distance, max_rank=_CMC_RANKS, protocol=counting)
    chosen = _worst(plain.ap, limit, arrays[2:])
    with_rerank = rerank is not None and rerank is not False
    lists = [_original_list(pairs, plain, chosen, topk, "Original" if with_rerank else "Ranking")]
    if with_rerank:
        settings = {**RERANK_DEFAULTS, **({} if rerank is True else rerank)}
        lists.append(_reranked_list(pairs, chosen, topk, settings))
    pids, cameras = (query_pids, gallery_pids), (query_camids, gallery_camids)
    return RankedLists(
        chosen,
        tuple(lists),
        pairs.count(pairs.matches, chosen),
        pairs.count(pairs.removed, chosen),
        len(gallery_feats) - len(pairs.gallery_rows),
        *(as_numpy(values).copy() for values in pids),
        *(None if values is None else as_numpy(values).copy() for values in cameras),
    )


def _worst(ap: np.ndarray, limit: int | None, columns: tuple) -> np.ndarray:
    """Rows of the valid queries by rising AP."""
    valid = np.flatnonzero(np.isfinite(ap))
    if not len(valid):
        labels = Labels(*(None if c is None else np.asarray(c).astype(np.int64) for c in columns))
        raise UserError(
            "No query has a true match in the gallery, so there is nothing to judge. "
            f"{match_report(labels, 'the given images').text}"
        )
    return valid[np.argsort(ap[valid], kind="stable")][:limit]


def _original_list(
    pairs: PairBlocks, result: RetrievalResult, chosen: np.ndarray, topk: int, name: str
) -> RankedList:
    """Lists by the distance of the embeddings."""
    columns, scores = _top(pairs, pairs.similarity, chosen, topk)
    distances = pairs.to_distance(torch.from_numpy(scores)).numpy()
    return _ranked_list(pairs, result, chosen, columns, distances, name, DISTANCES[pairs.distance])


def _reranked_list(pairs: PairBlocks, chosen: np.ndarray, topk: int, settings: dict) -> RankedList:
    """Lists by re-ranked distance. All queries take part, as they do in the score."""
    with full_precision(pairs.inputs.gallery.device):
        similarity, shape = rerank_similarity(pairs.inputs.query, pairs.inputs.gallery, **settings)
        result = rank_by(similarity, pairs.inputs, shape, _CMC_RANKS)
    columns, scores = _top(pairs, similarity, chosen, topk)
    words = "k-reciprocal distance, k1 {k1}, k2 {k2}, λ {lambda_value:g}".format(**settings)
    return _ranked_list(pairs, result, chosen, columns, -scores, "Re-ranked", words)


def _top(
    pairs: PairBlocks,
    similarity: FeatureSimilarity | RerankedSimilarity,
    chosen: np.ndarray,
    topk: int,
) -> tuple[np.ndarray, np.ndarray]:
    """First columns and scores of the chosen queries, a block at a time."""
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
    """Columns as rows of the gallery that was given, with the figures of the evaluator."""
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
