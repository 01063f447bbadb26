"""Re-rank the candidates of one query by k-reciprocal encoding, in plain NumPy.

The candidates are few (100 or so), so everything is a small dense matrix. The result is that of
``mmreid_ext.evaluation.retrieval.k_reciprocal_rerank`` for this query and these candidates.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.setting_checks import is_number, is_whole

from .records import Hit, RerankOptions

_EQUAL = 2.0**38
"""Squared distances are equal that round to the same multiple of its inverse; all that are no
greater than that are 0: a difference of equal images is rounding."""


def check_options(options: RerankOptions) -> None:
    """Check the settings of re-ranking.

    Raises:
        UserError: For a number out of range.
    """
    for name in ("n", "k1", "k2"):
        value = getattr(options, name)
        if not is_whole(value, 1):
            raise UserError(f"rerank: {name}={value!r} must be a whole number from 1 on.")
    weight = options.lambda_value
    if not is_number(weight) or not 0 <= weight <= 1:
        raise UserError(f"rerank: lambda_value={weight!r} must be a number from 0 to 1.")


def reranked_distances(
    query: np.ndarray, candidates: np.ndarray, options: RerankOptions
) -> np.ndarray:
    """Return the re-ranked distance of each candidate, in [0, 1]; smaller is nearer.

    Args:
        query: (D,), any length but zero.
        candidates: (N, D), the same.
        options: Settings.

    Returns:
        (N,) float64.
    """
    rows = np.concatenate([query[None], candidates]).astype(np.float64)
    rows /= np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    distances = np.maximum(2 - 2 * rows @ rows.T, 0)
    np.fill_diagonal(distances, 0)
    order = np.argsort(np.round(distances * _EQUAL), axis=1, kind="stable")
    farthest = distances.max(axis=1, keepdims=True)
    plain = np.where(farthest * _EQUAL > 1, distances / np.maximum(farthest, 1e-300), 0)
    near, half = (_mutual(order, k) for k in (options.k1, round(options.k1 / 2)))
    shared = near.astype(np.float64) @ half.T  # (N + 1, N + 1), members of both sets
    joined = near & (3 * shared > 2 * half.sum(axis=1))
    members = near | (joined.astype(np.float64) @ half > 0)
    encoding = np.where(members, np.exp(-plain), 0)
    # Among copies an image may not be in its own list: an empty set has no weight at all.
    encoding /= np.maximum(encoding.sum(axis=1, keepdims=True), 1e-300)
    if options.k2 > 1:
        encoding = encoding[order[:, : options.k2]].mean(axis=1)
    least = np.minimum(encoding[0], encoding[1:]).sum(axis=1)
    jaccard = 1 - least / (2 - least)
    weight = options.lambda_value
    return (1 - weight) * jaccard + weight * plain[0, 1:]


def reranked(
    query: np.ndarray, hits: list[Hit], candidates: np.ndarray, options: RerankOptions
) -> list[Hit]:
    """Order hits by their re-ranked distance, in ``score``; equal ones stay in order.

    Args:
        query: (D,).
        hits: What a search has found.
        candidates: (N, D), the embeddings of the hits; those of deleted ones are zero, and left
            out.
        options: Settings.
    """
    there = np.any(candidates != 0, axis=1).nonzero()[0]
    if not len(there):
        return []
    scores = 1 - reranked_distances(query, candidates[there], options)
    found = [
        replace(hits[place], score=score)
        for place, score in zip(there.tolist(), scores.tolist(), strict=True)
    ]
    return sorted(found, key=lambda hit: -hit.score)


def _mutual(order: np.ndarray, k: int) -> np.ndarray:
    """Return which pairs have each other among their first ``k + 1``, (N, N) bool."""
    within = np.zeros(order.shape, dtype=bool)
    np.put_along_axis(within, order[:, : k + 1], True, axis=1)
    return within & within.T
