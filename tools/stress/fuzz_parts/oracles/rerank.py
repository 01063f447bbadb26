"""The published re-ranking, with full matrices in float64.

Zhong et al., "Re-ranking person re-identification with k-reciprocal encoding", CVPR 2017; written
after its code, with sets instead of index tricks, V in float64, and ties in order of index.
"""

from __future__ import annotations

import numpy as np

STEP = 2.0**-38
"""Squared distances are equal that round to one multiple of it."""


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Scale rows to length 1; zero ones have cosine 0 with all others, and 1 with one another."""
    rows = rows.astype(np.float64)
    lengths = np.sqrt((rows**2).sum(axis=1))
    zero = lengths == 0
    scaled = rows / np.where(zero, 1, lengths)[:, None]
    return np.concatenate([scaled, zero[:, None].astype(float)], axis=1)


def squared_distances(rows: np.ndarray) -> np.ndarray:
    """Return all squared distances of rows, (N, N)."""
    return ((rows[:, None] - rows[None]) ** 2).sum(axis=2)


def is_ambiguous(distances: np.ndarray) -> bool:
    """Whether rounding errors may decide which of two images is nearer.

    That is so where a distance lies on the border of two multiples, and another one of its row is
    so near that it could be equal; and where the greatest is about as small as a multiple.
    """
    places = np.sort(distances / STEP, axis=1)
    on_border = np.abs(places - np.floor(places) - 0.5) < 0.01
    close = np.diff(places, axis=1) < 1.5
    near = np.zeros(places.shape, dtype=bool)
    near[:, 1:] |= close
    near[:, :-1] |= close
    greatest = places[:, -1]
    return bool((on_border & near).any() or ((greatest > 0.5) & (greatest < 2)).any())


def reranked(distances: np.ndarray, queries: int, k1: int, k2: int, weight: float) -> np.ndarray:
    """Return distances after re-ranking, (Q, G).

    Args:
        distances: Squared distances of queries and gallery, (N, N).
        queries: Number of queries; they come first.
        k1: Size of the reciprocal sets.
        k2: Images averaged over.
        weight: Of the plain distance.
    """
    number = len(distances)
    ranks = np.argsort(np.round(distances / STEP), axis=1, kind="stable")
    greatest = distances.max(axis=1, keepdims=True)
    scaled = np.where(greatest > STEP, distances / np.maximum(greatest, 1e-300), 0)

    def mutual(k: int) -> list[set[int]]:
        forward = [set(row[: k + 1]) for row in ranks.tolist()]
        return [{j for j in forward[i] if i in forward[j]} for i in range(number)]

    values = np.zeros((number, number))
    near, half = mutual(k1), mutual(round(k1 / 2))
    for i in range(number):
        members = set(near[i])
        for candidate in near[i]:
            theirs = half[candidate]
            if 3 * len(theirs & near[i]) > 2 * len(theirs):
                members |= theirs
        chosen = sorted(members)
        weights = np.exp(-scaled[i, chosen])
        values[i, chosen] = weights / weights.sum()
    if k2 > 1:
        values = np.stack([values[ranks[i, :k2]].mean(axis=0) for i in range(number)])
    result = np.zeros((queries, number - queries))
    for i in range(queries):
        for j in range(queries, number):
            shared = np.minimum(values[i], values[j]).sum()
            jaccard = 1 - shared / (2 - shared)
            result[i, j - queries] = (1 - weight) * jaccard + weight * scaled[i, j]
    return result
