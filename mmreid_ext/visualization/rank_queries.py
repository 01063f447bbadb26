"""From embeddings to ranked lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.evaluation import RetrievalResult, evaluate_retrieval, k_reciprocal_rerank

from .pair_blocks import DISTANCES, RetrievalArrays
from .ranked_lists import RankedList, RankedLists, top_matches

_SCORE_RANKS = (1, 5, 10)


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

    Returns:
        The lists, worst query first (by AP before re-ranking; equal AP in the order given).

    Raises:
        ValueError: If the arrays don't correspond, ``topk`` or ``limit`` is below 1, or no query
            has a true match.
    """
    for name, value in (("topk", topk), ("limit", limit)):
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}.")
    arrays = (query_feats, gallery_feats, query_pids, gallery_pids, query_camids, gallery_camids)
    data = RetrievalArrays.of(*arrays, distance=distance)
    plain = evaluate_retrieval(*arrays, distance=distance, max_rank=max(_SCORE_RANKS))
    chosen = _worst(plain.ap, limit)
    name = "Original" if rerank or rerank == {} else "Ranking"
    lists = [_ranked_list(data, plain, chosen, topk, name, DISTANCES[distance])]
    if rerank is not None and rerank is not False:
        settings = {} if rerank is True else dict(rerank)
        result = evaluate_retrieval(*arrays, max_rank=max(_SCORE_RANKS), rerank=settings)
        rows = _reranked_rows(data, chosen, settings)
        lists.append(
            _ranked_list(data, result, chosen, topk, "Re-ranked", _rerank_words(settings), rows)
        )
    return RankedLists(
        queries=chosen,
        lists=tuple(lists),
        num_matches=_count(data, data.matches, chosen),
        num_removed=_count(data, data.removed, chosen) - int((data.gallery_pids == -1).sum()),
        num_junk=int((data.gallery_pids == -1).sum()),
        query_pids=data.query_pids.cpu().numpy(),
        gallery_pids=data.gallery_pids.cpu().numpy(),
        query_camids=None if data.query_camids is None else data.query_camids.cpu().numpy(),
        gallery_camids=None if data.gallery_camids is None else data.gallery_camids.cpu().numpy(),
    )


def _worst(ap: np.ndarray, limit: int | None) -> np.ndarray:
    """Rows of the valid queries by rising AP."""
    valid = np.flatnonzero(np.isfinite(ap))
    if not len(valid):
        raise ValueError(
            "No query has a true match in the gallery, so there is nothing to judge: check that "
            "pids of queries and gallery come from the same labelling, and that the camera rule "
            "(camids) applies."
        )
    return valid[np.argsort(ap[valid], kind="stable")][:limit]


def _ranked_list(
    data: RetrievalArrays,
    result: RetrievalResult,
    chosen: np.ndarray,
    topk: int,
    name: str,
    words: str,
    distances: Tensor | None = None,
) -> RankedList:
    """Lists of the chosen queries, by the given (N, G) distances or by those of the embeddings."""
    parts: list[tuple[np.ndarray, ...]] = []
    start = 0
    for rows in data.blocks(chosen):
        block = data.distances(rows) if distances is None else distances[start : start + len(rows)]
        parts.append(top_matches(block, data.removed(rows), data.matches(rows), topk))
        start += len(rows)
    indices, found, hits = (np.concatenate(part) for part in zip(*parts, strict=True))
    scores = {"mAP": result.mAP, "mINP": result.mINP}
    scores |= {f"R{rank}": float(result.cmc[rank - 1]) for rank in _SCORE_RANKS}
    return RankedList(
        name=name,
        distance=words,
        scores=scores,
        all_ap=np.asarray(result.ap),
        ap=np.asarray(result.ap)[chosen],
        first_match=np.asarray(result.first_hit)[chosen],
        indices=indices,
        distances=found,
        matches=hits,
    )


def _reranked_rows(data: RetrievalArrays, chosen: np.ndarray, settings: dict) -> Tensor:
    """Re-ranked distances of the chosen queries, shape (N, G); infinite for junk.

    All queries and no junk take part in the re-ranking, as they do in the score.
    """
    kept = data.gallery_pids != -1
    distances = k_reciprocal_rerank(data.query_feats, data.gallery_feats[kept], **settings)
    rows = torch.full((len(chosen), len(kept)), torch.inf, device=kept.device)
    rows[:, kept] = distances[torch.as_tensor(chosen, device=distances.device)].to(kept.device)
    return rows


def _rerank_words(settings: Mapping[str, float]) -> str:
    """The settings as a reader of the report wants them."""
    full = {"k1": 20, "k2": 6, "lambda_value": 0.3, **settings}
    return f"k-reciprocal distance, k1 {full['k1']}, k2 {full['k2']}, λ {full['lambda_value']:g}"


def _count(
    data: RetrievalArrays, mask: Callable[[Tensor], Tensor], chosen: np.ndarray
) -> np.ndarray:
    """Gallery images of each chosen query that a mask picks, shape (N,)."""
    counts = [mask(rows).sum(dim=1) for rows in data.blocks(chosen)]
    return torch.cat(counts).cpu().numpy()
