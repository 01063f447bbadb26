"""PaddleClas's way of counting a ranking, to check its published numbers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .retrieval_result import RetrievalResult


def evaluate_like_paddleclas(
    query_feats: Tensor,
    gallery_feats: Tensor,
    query_pids: np.ndarray,
    gallery_pids: np.ndarray,
    query_camids: np.ndarray | None = None,
    gallery_camids: np.ndarray | None = None,
    *,
    max_rank: int = 50,
    chunk_size: int = 64,
) -> RetrievalResult:
    """CMC, mAP and mINP where junk stays in the ranking with similarity 0.

    A gallery image of the query's identity and camera can't be a hit, but keeps a place: its cosine
    similarity is set to 0. True matches of negative similarity are ranked behind it, and precision
    counts it. The reference protocol removes it instead. Recall@k and mAP are over queries with a
    match, weighted as one list (PaddleClas averages blocks of 64 queries; the same thing when every
    query has a match).
    Ties: a match comes after everything of equal similarity that is not a match.

    Args:
        query_feats: Shape (Q, D); L2-normalised inside.
        gallery_feats: Shape (G, D).
        query_pids: Shape (Q,).
        gallery_pids: Shape (G,).
        query_camids: Shape (Q,), or None: nothing is junk.
        gallery_camids: Shape (G,).
        max_rank: Length of the CMC.
        chunk_size: Queries ranked at a time; no influence on the result.

    PaddleClas, ``ppcls/engine/evaluation/retrieval.py`` and ``ppcls/metric/metrics.py`` (2.x).
    """
    query = torch.nn.functional.normalize(query_feats.float())
    gallery = torch.nn.functional.normalize(gallery_feats.float())
    count = len(query)
    ap, inp = np.full(count, np.nan), np.full(count, np.nan)
    first = np.zeros(count, dtype=np.int64)
    for start in range(0, count, chunk_size):
        similarity = query[start : start + chunk_size] @ gallery.T
        for row, sims in enumerate(similarity.numpy(), start=start):
            hit = gallery_pids == query_pids[row]
            if query_camids is not None and gallery_camids is not None:
                junk = hit & (gallery_camids == query_camids[row])
                sims = np.where(junk, np.float32(0), sims)
                hit &= ~junk
            if hit.any():
                order = np.lexsort((hit, -sims))
                ranks = np.flatnonzero(hit[order]) + 1.0
                found = np.arange(1, len(ranks) + 1)
                ap[row], inp[row] = (found / ranks).mean(), len(ranks) / ranks[-1]
                first[row] = int(ranks[0])
    valid = first > 0
    cmc = (first[valid][:, None] <= np.arange(1, max_rank + 1)).mean(axis=0)
    return RetrievalResult(
        cmc, float(ap[valid].mean()), float(inp[valid].mean()), ap, inp, first, int(valid.sum())
    )
