"""Re-ranking of the evaluator and of the gallery against the published algorithm."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from mmreid_ext.deploy.gallery.records import RerankOptions
from mmreid_ext.deploy.gallery.reranking import reranked_distances
from mmreid_ext.evaluation.retrieval.ranking import evaluate_retrieval
from mmreid_ext.evaluation.retrieval.re_ranking.k_reciprocal import k_reciprocal_rerank

from .oracles import rank as rank_oracle
from .oracles import rerank as rerank_oracle
from .ranking import labels, sizes
from .running import Mismatch, Part

_NEAR = 2e-6
"""Distances are float32 of sums of multiples of 2**-30."""


def features(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Draw features; half of them have many exact ties, and lengths without rounding errors."""
    kind = rng.choice(["signs", "sparse", "clusters", "equal"], p=[0.35, 0.15, 0.4, 0.1])
    if kind == "signs":
        found = rng.choice([-1.0, 1.0], (rows, int(rng.choice([4, 16]))))
    elif kind == "sparse":
        found = np.eye(4)[rng.integers(0, 4, rows)] * rng.choice([1.0, 2.0, -0.5], (rows, 1))
    elif kind == "equal":
        found = np.tile(rng.standard_normal(3), (rows, 1))
    else:
        size = int(rng.integers(2, 9))
        found = rng.standard_normal((4, size))[rng.integers(0, 4, rows)]
        found = found + rng.choice([0.05, 0.5]) * rng.standard_normal((rows, size))
    if rows and rng.random() < 0.15:
        found[rng.integers(0, rows)] = 0
    if rows and rng.random() < 0.4:
        found[rng.integers(0, rows, rows // 2)] = found[rng.integers(0, rows)]
    return found.astype("f4" if kind == "clusters" and rng.random() < 0.5 else "f8")


def parameters(rng: np.random.Generator) -> tuple[int, int, float]:
    """Draw k1, k2 and lambda: usual ones, 1, and more than there are images."""
    k1 = int(rng.choice([1, 2, 3, 4, 5, 7, 20, 60]))
    k2 = int(rng.choice([1, 1, 2, 3, 6, 9, k1 + 1, k1 + 2, k1 + 5, 70]))
    return k1, k2, float(rng.choice([0.0, 0.3, 0.5, 1.0]))


def case(rng: np.random.Generator, prepared: Any) -> str:
    """Re-rank one drawn problem."""
    queries, gallery = sizes(rng)
    both = features(rng, queries + gallery)
    query, found = both[:queries], both[queries:]
    k1, k2, weight = parameters(rng)
    budget = None if rng.random() < 0.5 else int(rng.integers(1, 20_000))
    result = k_reciprocal_rerank(query, found, k1, k2, weight, memory_budget=budget).numpy()
    if result.shape != (queries, gallery):
        raise Mismatch(f"shape {result.shape} for {queries} queries and {gallery} images")
    if not queries or not gallery:
        return "empty"
    distances = rerank_oracle.squared_distances(rerank_oracle.unit_rows(both))
    if rerank_oracle.is_ambiguous(distances):
        return "left out: rounding decides"
    expected = rerank_oracle.reranked(distances, queries, k1, k2, weight)
    _same(f"k1={k1}, k2={k2}, lambda={weight}", result, expected)
    _try_gallery(query, found, k1, k2, weight)
    if rng.random() < 0.1:
        _try_ranking(rng, query, found, expected, dict(k1=k1, k2=k2, lambda_value=weight))
    return "equal"


def _same(what: str, found: np.ndarray, expected: np.ndarray) -> None:
    apart = np.abs(found - expected)
    if not apart.max() <= _NEAR:
        at = np.unravel_index(np.nanargmax(apart), apart.shape)
        raise Mismatch(f"{what}: {found[at]} at {at}, by the oracle {expected[at]}")


def _try_gallery(query: np.ndarray, found: np.ndarray, k1: int, k2: int, weight: float) -> None:
    """The gallery re-ranks one query at a time; it takes no zero vectors."""
    if not query[0].any() or not found.any(axis=1).all():
        return
    options = RerankOptions(n=len(found), k1=k1, k2=k2, lambda_value=weight)
    both = rerank_oracle.unit_rows(np.concatenate([query[:1], found]))
    distances = rerank_oracle.squared_distances(both)
    expected = rerank_oracle.reranked(distances, 1, k1, k2, weight)
    result = reranked_distances(query[0], found, options)
    _same(f"gallery, k1={k1}, k2={k2}, lambda={weight}", result[None], expected)


def _try_ranking(
    rng: np.random.Generator,
    query: np.ndarray,
    found: np.ndarray,
    expected: np.ndarray,
    settings: dict[str, Any],
) -> None:
    """Rank by re-ranked distances: AP lies between ties for and against the match."""
    people = int(rng.integers(1, 5))
    pids = [np.abs(labels(rng, len(x), people)) for x in (query, found)]  # junk takes no part
    result = evaluate_retrieval(
        torch.from_numpy(query), torch.from_numpy(found), *pids, rerank=settings
    )
    for row, pid in enumerate(pids[0].tolist()):
        roles = [rank_oracle.plays(pid, None, other, None) for other in pids[1].tolist()]
        scores = (-expected[row]).tolist()
        least, most = (
            rank_oracle.answer(scores, roles, [tie] * len(scores), False)
            for tie in (2 * _NEAR, -2 * _NEAR)
        )
        ap = result.ap[row]
        if np.isnan(ap) != np.isnan(least.ap) or ap < least.ap - 1e-9 or ap > most.ap + 1e-9:
            raise Mismatch(
                f"AP of query {row} with {settings}: {ap}, by the oracle {least.ap} to {most.ap}"
            )


PART = Part("reranking", "k-reciprocal re-ranking: evaluator, gallery, and ranking by it", case)
