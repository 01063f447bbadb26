"""CMC, mAP and mINP (first, plain version)."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import normalize

from .re_ranking import k_reciprocal_rerank
from .retrieval_result import RetrievalResult


def evaluate_retrieval(
    query_feats,
    gallery_feats,
    query_pids,
    gallery_pids,
    query_camids=None,
    gallery_camids=None,
    *,
    distance: str = "cosine",
    max_rank: int = 50,
    rerank: dict | None = None,
    protocol: str = "standard",
    memory_budget: int | None = None,
    distributed: bool = False,
    progress=None,
) -> RetrievalResult:
    """Rank the gallery for every query; see the final version for the full text."""
    q, g = (torch.as_tensor(x).float() for x in (query_feats, gallery_feats))
    qp, gp = (np.asarray(x) for x in (query_pids, gallery_pids))
    keep = gp != -1
    g, gp = g[torch.as_tensor(keep)], gp[keep]
    qc = gc = None
    if query_camids is not None:
        qc, gc = np.asarray(query_camids), np.asarray(gallery_camids)[keep]
    if rerank is not None:
        dist = k_reciprocal_rerank(q, g, **rerank)
    elif distance == "cosine":
        dist = 1 - normalize(q) @ normalize(g).T
    else:
        dist = torch.cdist(q, g)
    dist = np.asarray(dist)
    ap, inp = np.full(len(qp), np.nan), np.full(len(qp), np.nan)
    first = np.zeros(len(qp), dtype=np.int64)
    for i in range(len(qp)):
        same = gp == qp[i]
        removed = same & (gc == qc[i]) if gc is not None else np.zeros_like(same)
        matches = np.sort(dist[i, same & ~removed])
        if not len(matches):
            continue
        wrong = np.sort(dist[i, ~same])
        hits = np.arange(1, len(matches) + 1)
        ranks = hits + np.searchsorted(wrong, matches, side="right")
        ap[i], inp[i], first[i] = (hits / ranks).mean(), len(matches) / ranks[-1], ranks[0]
    valid = first > 0
    cmc = (first[valid, None] <= np.arange(1, max_rank + 1)).mean(0)
    return RetrievalResult(
        cmc, float(ap[valid].mean()), float(inp[valid].mean()), ap, inp, first, int(valid.sum())
    )
