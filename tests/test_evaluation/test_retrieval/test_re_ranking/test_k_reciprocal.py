"""k-reciprocal re-ranking against the plain dense algorithm."""

import numpy as np
import pytest
import torch
from helpers.rerank_oracle import dense, rerank_problem

from mmreid_ext.evaluation import evaluate_retrieval, k_reciprocal_rerank

PARAMETERS = [(20, 6, 0.3), (5, 1, 0.5), (7, 3, 0.0), (1, 2, 0.3), (30, 10, 1.0), (400, 6, 0.3)]
PARAMETERS += [(3, 9, 0.3), (1, 400, 0.3)]  # k2 above the k1 + 1 neighbours of the sets


@pytest.mark.parametrize("budget", [None, 200_000], ids=["default", "tiny"])
@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
def test_equals_the_dense_algorithm(parameters, budget):
    size = {"queries": 20, "gallery": 60} if parameters[0] > 100 else {}
    query, gallery, _, _ = rerank_problem(**size)
    result = k_reciprocal_rerank(query, gallery, *parameters, memory_budget=budget)
    assert result.dtype == torch.float32 and result.shape == (len(query), len(gallery))
    # weights are multiples of 2**-30 and the result float32
    np.testing.assert_allclose(result.numpy(), dense(query, gallery, *parameters), atol=1e-6)


@pytest.mark.parametrize("copies", [2, 60], ids=["pairs", "crowd"])
@pytest.mark.parametrize("budget", [None, 60_000], ids=["default", "tiny"])
def test_duplicates_are_neighbours_in_order_of_index(copies, budget):
    """60 copies of one image: more equal distances than any list of candidates holds."""
    query, gallery, _, _ = rerank_problem()
    gallery[100:160] = gallery[:60] if copies == 2 else gallery[0]
    query[:4] = gallery[:4]
    result = k_reciprocal_rerank(query, gallery, memory_budget=budget)
    np.testing.assert_allclose(result.numpy(), dense(query, gallery, 20, 6, 0.3), atol=1e-6)


@pytest.mark.parametrize("vector", [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], ids=["equal", "zero"])
def test_a_collapsed_model_gives_finite_distances(vector):
    query, gallery = torch.tensor([vector] * 5), torch.tensor([vector] * 40)
    result = k_reciprocal_rerank(query, gallery)
    assert result.isfinite().all()
    np.testing.assert_allclose(result.numpy(), dense(query, gallery, 20, 6, 0.3), atol=1e-6)


def test_scale_and_type_of_features():
    query, gallery, _, _ = rerank_problem()
    expected = k_reciprocal_rerank(query, gallery)
    scaled = k_reciprocal_rerank(
        (query * 7e15).numpy(), (gallery * 2e-15).double().numpy().astype("f4")
    )
    # scaling rounds the features anew: one part in 2**24
    np.testing.assert_allclose(scaled.numpy(), expected.numpy(), atol=1e-6)


def test_junk_is_nobodys_neighbour():
    query, gallery, qp, gp = rerank_problem()
    junk = torch.cat([gallery, query + 0.01, query + 0.02])
    pids = np.concatenate([gp, np.full(2 * len(qp), -1)])
    expected = evaluate_retrieval(query, gallery, qp, gp, rerank={})
    result = evaluate_retrieval(query, junk, qp, pids, rerank={})
    np.testing.assert_array_equal(result.ap, expected.ap)


def test_progress_counts_up_to_the_end():
    query, gallery, qp, gp = rerank_problem()
    calls = []
    evaluate_retrieval(
        query, gallery, qp, gp, rerank={}, memory_budget=80_000, progress=lambda *c: calls.append(c)
    )
    for stage in ("neighbours", "ranking"):
        steps = [c[1:] for c in calls if c[0] == stage]
        assert len(steps) > 1 and steps == [(i + 1, len(steps)) for i in range(len(steps))]


def test_empty_sides():
    query, gallery, _, _ = rerank_problem()
    assert k_reciprocal_rerank(query[:0], gallery).shape == (0, len(gallery))
    assert k_reciprocal_rerank(query, gallery[:0]).shape == (len(query), 0)
    _, _, qp, gp = rerank_problem()
    for q, g in ((0, 9), (9, 0), (0, 0)):
        result = evaluate_retrieval(query[:q], gallery[:g], qp[:q], gp[:g], rerank={})
        assert result.num_valid_queries == 0 and len(result.ap) == q


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k1": 0}, "k1=0"),
        ({"k2": 0}, "k2=0"),
        ({"lambda_value": -0.1}, "lambda_value=-0.1"),
        ({"memory_budget": -1}, "memory_budget=-1"),
    ],
)
def test_parameters_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        k_reciprocal_rerank(torch.ones(2, 3), torch.ones(3, 3), **arguments)


def test_nan_is_named():
    bad = torch.ones(3, 3)
    bad[1, 2] = torch.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        k_reciprocal_rerank(torch.ones(2, 3), bad)


@pytest.mark.parametrize("budget", [None, 1], ids=["default", "tiny"])
def test_a_zero_feature_has_cosine_zero(budget):
    query, gallery, _, _ = rerank_problem(queries=8, gallery=30)
    query[3], gallery[[5, 11]] = 0.0, 0.0
    zeros = [(x == 0).all(1, keepdim=True).float() for x in (query, gallery)]
    expected = dense(
        *(torch.cat(pair, 1) for pair in zip((query, gallery), zeros, strict=True)), 5, 3, 0.3
    )
    result = k_reciprocal_rerank(query, gallery, 5, 3, memory_budget=budget)
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("parameters", [(5, 1, 0.3), (5, 9, 0.3)], ids=str)
def test_ties_on_a_grid_equal_the_dense_algorithm(parameters):
    # many equal distances between different images, at each border of every list; of length 4, so
    # that normalised features and their products are exact
    rng = np.random.default_rng(3)
    feats = torch.from_numpy(rng.choice([-1.0, 1.0], (60, 16))).float()
    feats[40:] = feats[:20]  # and equal images, of which the first leads each other's list
    result = k_reciprocal_rerank(feats[:15], feats[15:], *parameters)
    np.testing.assert_allclose(
        result.numpy(), dense(feats[:15], feats[15:], *parameters), atol=1e-6
    )


@pytest.mark.slow
def test_float32_products_decide_nothing(monkeypatch):
    # as for sets too large for float64 throughout, and so near that many scores have to be settled
    for module in ("similarity", "re_ranking.reranked_similarity"):
        monkeypatch.setattr(f"mmreid_ext.evaluation.retrieval.{module}.LITTLE", 0)
    query, gallery, qp, gp = rerank_problem(seed=5, dim=48, queries=40, gallery=400, spread=1e-3)
    query, gallery = (x.to(torch.float16) for x in (query, gallery))
    results, distances = [], []
    for dtype in (torch.float16, torch.float32, torch.float64):
        for budget in (40_000, None):
            arrays = query.to(dtype), gallery.to(dtype)
            results.append(
                evaluate_retrieval(*arrays, qp, gp, rerank=dict(k1=10), memory_budget=budget)
            )
            distances.append(k_reciprocal_rerank(*arrays, 10, memory_budget=budget).numpy())
    for result, distance in zip(results, distances, strict=True):
        np.testing.assert_array_equal(result.ap, results[0].ap)
        np.testing.assert_allclose(distance, distances[0], rtol=2e-7)
