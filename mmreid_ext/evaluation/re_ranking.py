"""k-reciprocal re-ranking (first, plain version)."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import normalize


def k_reciprocal_rerank(
    query_feats,
    gallery_feats,
    k1: int = 20,
    k2: int = 6,
    lambda_value: float = 0.3,
    *,
    memory_budget: int | None = None,
    progress=None,
) -> torch.Tensor:
    """Distances after k-reciprocal re-ranking; see the final version for the full text."""
    x = normalize(torch.cat([torch.as_tensor(query_feats), torch.as_tensor(gallery_feats)]).float())
    dist = (2 - 2 * x @ x.T).clamp_min(0).numpy()
    dist /= dist.max(1, keepdims=True)
    order = np.argsort(dist, axis=1, kind="stable")[:, : k1 + 1]
    n, half = len(dist), round(k1 / 2)

    def reciprocal(i, k):
        forward = order[i, : k + 1]
        return forward[[i in order[j, : k + 1] for j in forward]]

    v = np.zeros_like(dist)
    for i in range(n):
        near = reciprocal(i, k1)
        wide = near
        for j in near:
            other = reciprocal(j, half)
            if len(np.intersect1d(near, other)) > 2 / 3 * len(other):
                wide = np.union1d(wide, other)
        weight = np.exp(-dist[i, wide])
        v[i, wide] = weight / weight.sum()
    if k2 > 1:
        v = np.stack([v[order[i, :k2]].mean(0) for i in range(n)])
    q = len(query_feats)
    out = np.empty((q, n - q), dtype=np.float32)
    for i in range(q):
        shared = np.minimum(v[i], v[q:]).sum(1)
        out[i] = (1 - lambda_value) * (1 - shared / (2 - shared)) + lambda_value * dist[i, q:]
    return torch.from_numpy(out)
