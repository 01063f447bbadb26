"""Re-ranked scores of pairs, tiles and single pairs, against the dense algorithm."""

import numpy as np
import pytest
import torch
from helpers.ranking_oracle import oracle
from helpers.rerank_oracle import dense, rerank_problem

from mmreid_ext.evaluation import evaluate_retrieval
from mmreid_ext.evaluation.retrieval.re_ranking import rerank_similarity
from mmreid_ext.evaluation.retrieval.similarity import TIE


@pytest.mark.parametrize("budget", [None, 60_000])
def test_evaluation_streams_the_same_distances(budget):
    query, gallery, qp, gp = rerank_problem(spread=1.2)
    rng = np.random.default_rng(0)
    cams = rng.integers(0, 3, len(qp)), rng.integers(0, 3, len(gp))
    rerank = {"k1": 8, "k2": 3, "lambda_value": 0.2}
    result = evaluate_retrieval(query, gallery, qp, gp, *cams, rerank=rerank, memory_budget=budget)
    distance = dense(query, gallery, *rerank.values())
    expected, _, _ = oracle(query, gallery, qp, gp, *cams, scores=-distance)
    # scores are multiples of 2**-30 here: a rank may differ where two lie closer than that
    np.testing.assert_allclose(result.ap, expected[:, 0], atol=0.02)
    assert result.mAP == pytest.approx(np.nanmean(expected[:, 0]), abs=5e-4)
    plain = evaluate_retrieval(query, gallery, qp, gp, *cams)
    assert result.mAP > plain.mAP + 0.01


def test_evaluation_does_not_depend_on_tiles():
    query, gallery, qp, gp = rerank_problem(spread=1.2)
    gallery[200:] = gallery[:60]
    results = [
        evaluate_retrieval(query, gallery, qp, gp, rerank={}, memory_budget=b)
        for b in (None, 500_000, 50_000)
    ]
    for result in results[1:]:
        np.testing.assert_array_equal(result.ap, results[0].ap)


@pytest.mark.parametrize("budget", [None, 50_000])
def test_tiles_and_pairs_are_minus_the_dense_distance(budget):
    query, gallery, _, _ = rerank_problem(queries=12, gallery=50)
    similarity = rerank_similarity(query, gallery, budget, 5, 3, 0.3)
    expected = -torch.from_numpy(dense(query, gallery, 5, 3, 0.3))
    assert len(similarity) == 50 and similarity.num_queries == 12
    rows = similarity.rows(torch.tensor([7, 2]))
    exact = rows.double_tile(10, 50)
    torch.testing.assert_close(exact, expected[[7, 2], 10:], rtol=0, atol=1e-6)
    assert (rows.tile(10, 50).double() - exact).abs().max() < rows.tolerance
    row, col = torch.tensor([0, 1]), torch.tensor([49, 10])
    torch.testing.assert_close(rows.pairs(row, col), exact[row, col - 10], rtol=0, atol=1e-14)
    assert similarity.ties(row[:, None], col).tolist() == [[TIE, TIE]] * 2


def test_shared_weight_is_the_sum_of_minima():
    query, gallery, _, _ = rerank_problem(queries=6, gallery=30)
    similarity = rerank_similarity(query, gallery, None, 4, 2, 0.3)
    encoding = similarity.encoding
    full = np.zeros((36, 36), np.int64)
    full[encoding.rows(), encoding.cols] = encoding.weights
    expected = np.minimum(full[:6, None], full[None, 6:]).sum(2)
    found = similarity.shared_weight(torch.arange(6))
    assert found.dtype == torch.int32 and (found.numpy() == expected).all() and expected.any()
