"""Nearest neighbours of all images, against sorting the whole matrix."""

import pytest
import torch
from helpers.rerank_oracle import rerank_problem

from mmreid_ext.evaluation.retrieval.re_ranking import neighbors
from mmreid_ext.evaluation.retrieval.re_ranking.neighbors import exact_neighbors
from mmreid_ext.evaluation.retrieval.similarity import FeatureSimilarity, order_rows


def similarity_of(feats):
    return FeatureSimilarity(feats, feats, "unit_euclidean")


def check(feats, k, budget=2**20):
    similarity = similarity_of(feats)
    scores = similarity.double_tile(torch.arange(len(feats)), 0, len(feats))
    found = exact_neighbors(similarity, k, budget)
    assert torch.equal(found.index, order_rows(scores, k))
    torch.testing.assert_close(found.farthest, scores.min(dim=1)[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("k", [1, 7, 150])
@pytest.mark.parametrize("side", [64, 4096])
def test_equals_sorting(k, side, monkeypatch):
    monkeypatch.setattr(neighbors, "_MAX_SIDE", side)
    query, gallery, _, _ = rerank_problem(queries=50, gallery=100)
    check(torch.cat([query, gallery]), k)


@pytest.mark.parametrize("spread", [1e-3, 1e-6, 0.0])
def test_scores_too_close_for_float32(spread):
    """Candidates are scored again; where the k-th place is in doubt, the whole row is."""
    query, gallery, _, _ = rerank_problem(queries=20, gallery=200, identities=3, spread=spread)
    check(torch.cat([query, gallery]), 9)


def test_progress_counts_tiles(monkeypatch):
    monkeypatch.setattr(neighbors, "_MAX_SIDE", 64)
    query, gallery, _, _ = rerank_problem(queries=50, gallery=100)
    calls = []
    similarity = similarity_of(torch.cat([query, gallery]))
    exact_neighbors(similarity, 3, 2**20, progress=lambda *call: calls.append(call))
    assert calls == [("neighbours", i + 1, 6) for i in range(6)]  # half of 3 x 3, and the diagonal
