"""Re-rank by the published algorithm with dense N x N arrays, in float64."""

import numpy as np
import torch
from torch.nn.functional import normalize


def dense(query, gallery, k1, k2, weight):
    """The published algorithm with N x N arrays in float64; ties in order of index."""
    feats = normalize(torch.cat([query, gallery]).double()).numpy()
    distance = ((feats[:, None] - feats[None]) ** 2).sum(-1)
    order = np.argsort(np.round(distance * 2**38), axis=1, kind="stable")
    distance = (distance / np.maximum(distance.max(axis=0), 1e-300)).T

    def mutual(i, k):
        return [j for j in order[i, : k + 1] if i in order[j, : k + 1]]

    encoding = np.zeros_like(distance)
    for i in range(len(feats)):
        near = set(mutual(i, k1))
        members = set(near)
        for j in near:
            other = set(mutual(j, round(k1 / 2)))
            if len(near & other) > 2 / 3 * len(other):
                members |= other
        members = sorted(members)
        values = np.exp(-distance[i, members])
        encoding[i, members] = values / values.sum()
    if k2 > 1:  # else each its own, though a duplicate may come before it in its list
        encoding = np.stack([encoding[order[i, :k2]].mean(axis=0) for i in range(len(feats))])
    start = len(query)
    shared = np.stack([np.minimum(v, encoding[start:]).sum(1) for v in encoding[:start]])
    return (1 - weight) * (1 - shared / (2 - shared)) + weight * distance[:start, start:]


def rerank_problem(seed=0, dim=16, queries=50, gallery=260, identities=25, spread=0.6):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((identities, dim))
    pids = rng.integers(0, identities, queries + gallery)
    feats = centres[pids] + spread * rng.standard_normal((queries + gallery, dim))
    feats = torch.from_numpy(feats).float()
    return feats[:queries], feats[queries:], pids[:queries], pids[queries:]
