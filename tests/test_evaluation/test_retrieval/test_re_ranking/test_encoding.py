"""Sets of reciprocal neighbours and their weights, against plain loops."""

import numpy as np
import pytest
import torch
from helpers.rerank_oracle import rerank_problem

from mmreid_ext.evaluation.retrieval.re_ranking.encoding import (
    UNIT,
    SparseRows,
    distance_scale,
    encode,
    expanded_sets,
    reciprocal,
    spans,
)
from mmreid_ext.evaluation.retrieval.re_ranking.neighbors import exact_neighbors
from mmreid_ext.evaluation.retrieval.similarity import FeatureSimilarity


def neighbors(k, number=40):
    query, gallery, _, _ = rerank_problem(queries=5, gallery=number - 5, identities=6)
    feats = torch.cat([query, gallery])
    similarity = FeatureSimilarity(feats, feats, "unit_euclidean")
    return similarity, exact_neighbors(similarity, k, 2**20)


def mutual(index, image, k):
    return {q for q in index[image, : k + 1].tolist() if image in index[q, : k + 1].tolist()}


def test_spans_list_positions_and_owners():
    at, owner = spans(torch.tensor([5, 0, 9]), torch.tensor([2, 0, 3]))
    assert at.tolist() == [5, 6, 9, 10, 11] and owner.tolist() == [0, 0, 2, 2, 2]


def test_reciprocal_neighbours_are_mutual():
    index = neighbors(8)[1].index
    rows = torch.tensor([3, 30])
    found = reciprocal(index, 6, rows)
    for row, image in enumerate(rows.tolist()):
        assert set(index[image, :7][found[row]].tolist()) == mutual(index, image, 6)


@pytest.mark.parametrize("k1", [1, 4, 9])
def test_expanded_sets_are_those_of_a_loop(k1):
    index = neighbors(k1 + 1)[1].index
    rows = torch.arange(40)
    row, image = expanded_sets(index, k1, rows)
    grown = 0
    for p in range(40):
        near = mutual(index, p, k1)
        expected = set(near)
        for q in near:
            other = mutual(index, q, round(k1 / 2))
            if 3 * len(near & other) > 2 * len(other):
                expected |= other
        grown += len(expected) > len(near)
        assert image[row == p].tolist() == sorted(expected)
    assert grown or k1 < 9


@pytest.mark.parametrize("k2", [1, 3])
@pytest.mark.parametrize("rows_at_once", [7, 100])
def test_rows_of_weights_sum_to_one(k2, rows_at_once):
    similarity, near = neighbors(6)
    encoding = encode(similarity, near, 5, k2, rows_at_once)
    assert isinstance(encoding, SparseRows) and encoding.weights.dtype == torch.int32
    sums = np.bincount(encoding.rows(), encoding.weights.double(), minlength=40) / UNIT
    np.testing.assert_allclose(sums, 1, atol=1e-7)
    key = encoding.rows() * 40 + encoding.cols
    assert (key.diff() > 0).all(), "rows in order, columns ascending, each once"
    whole = encode(similarity, near, 5, k2, 40)
    assert torch.equal(encoding.weights, whole.weights) and torch.equal(encoding.cols, whole.cols)


def test_distances_are_scaled_to_the_farthest_and_ties_to_nothing():
    scale = distance_scale(torch.tensor([-0.5, -1e-15, 0.0], dtype=torch.float64))
    assert scale.tolist() == [2.0, 0.0, 0.0]
