"""Ranking against a dense float64 loop, its rules one by one, and its errors."""

import numpy as np
import pytest
import torch
from helpers.ranking_oracle import check_result, oracle, problem

from mmreid_ext.evaluation import evaluate_retrieval


@pytest.mark.parametrize("budget", [None, 300_000, 3_000], ids=["default", "small", "tiny"])
@pytest.mark.parametrize("cameras", [True, False], ids=["cameras", "no-cameras"])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_equals_the_dense_loop_to_the_last_query(distance, cameras, budget):
    data = problem()
    data = data if cameras else data[:4]
    result = evaluate_retrieval(*data, distance=distance, memory_budget=budget)
    expected, true, wrong = oracle(*data, distance=distance)
    assert np.isnan(expected[:, 0]).any(), "the problem should hold queries without a match"
    check_result(result, expected)
    for fpr, tpr in result.tpr_at_fpr.items():
        assert tpr == (true > wrong[int(fpr * len(wrong) + 1e-9)]).mean()
    assert result.num_negatives == len(wrong)
    for fpr, threshold in result.threshold_at_fpr.items():  # cosines alone have thresholds
        assert distance == "cosine" and np.isfinite(threshold) == (fpr * len(wrong) >= 1)
        if np.isfinite(threshold):
            assert (true >= threshold).mean() == result.tpr_at_fpr[fpr]
            assert (wrong >= threshold).sum() == int(fpr * len(wrong) + 1e-9)


@pytest.mark.parametrize("dim", [1, 2, 3], ids="{}-d".format)
def test_many_near_ties_of_few_dimensions(dim):
    data = problem(dim=dim)
    data[1] = data[1].round(decimals=1)  # in one dimension every cosine is 1 or -1
    check_result(evaluate_retrieval(*data), oracle(*data)[0])


@pytest.mark.parametrize("budget", [None, 3_000])
def test_ties_never_help_in_any_order(budget):
    """A match that shares its feature with negatives is ranked behind all of them."""
    query = torch.tensor([[0.3, 0.1, 0.7]])
    same, far = torch.tensor([0.2, 0.4, 0.1]), torch.tensor([-0.3, 0.2, 0.1])
    for order in ([7, 1, 2, 3], [1, 2, 7, 3], [1, 2, 3, 7]):
        gallery = torch.stack([same, same, same, same, far])
        result = evaluate_retrieval(query, gallery, [7], [*order, 5], memory_budget=budget)
        assert result.ap[0] == 1 / 4 and result.first_hit[0] == 4


def test_duplicates_among_much_data_do_not_depend_on_order_or_tiles():
    data = problem(dim=64, queries=40, gallery=900)
    data[1][450:] = data[1][:450]  # the same image under two identities
    first = evaluate_retrieval(*data)
    order = np.random.default_rng(1).permutation(900)
    shuffled = [data[0], data[1][order], data[2], data[3][order], data[4], data[5][order]]
    for budget in (None, 400_000, 20_000):
        for again in (evaluate_retrieval(*x, memory_budget=budget) for x in (data, shuffled)):
            np.testing.assert_array_equal(again.ap, first.ap)
            assert again.mAP == first.mAP and again.tpr_at_fpr == first.tpr_at_fpr


@pytest.mark.parametrize("value", [0.1, 1.0, 3e-20, 3e20])
def test_a_collapsed_model_is_scored_as_the_worst(value):
    """All features equal: everything ties, whatever float32 sums of 300 equal terms say."""
    _, _, qp, gp, _, _ = problem()
    query, gallery = torch.full((60, 300), value), torch.full((700, 300), value)
    result = evaluate_retrieval(query, gallery, qp, gp)
    check_result(result, oracle(query, gallery, qp, gp, scores=np.ones((60, 700)))[0])
    assert set(result.tpr_at_fpr.values()) == {0.0}


def test_hits_at_one_and_three():
    """AP = (1 + 2/3) / 2, mINP = 2/3: plain precision, not the trapezoid."""
    query = torch.tensor([[1.0, 0.0]])
    gallery = torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, 0.2], [1.0, 0.3]])
    result = evaluate_retrieval(query, gallery, [1], [1, 2, 1, 3], max_rank=6)
    assert result.mAP == pytest.approx(5 / 6) and result.mINP == pytest.approx(2 / 3)
    assert result.cmc.tolist() == [1.0] * 6


def test_same_identity_same_camera_is_removed_and_ranks_close_up():
    query, gallery = torch.eye(1, 2), torch.tensor([[1.0, 0], [1, 0.1], [1, 0.2]])
    removed = evaluate_retrieval(query, gallery, [1], [1, 2, 1], [0], [0, 0, 1])
    assert removed.first_hit.tolist() == [2]  # without closing up it would be 3
    kept = evaluate_retrieval(query, gallery, [1], [1, 2, 1])
    assert kept.first_hit.tolist() == [1]


def test_junk_is_dropped_and_distractors_stay():
    query, gallery = torch.eye(1, 2), torch.tensor([[1.0, 0], [1, 0.1], [1, 0.2]])
    assert evaluate_retrieval(query, gallery, [1], [-1, 0, 1]).first_hit.tolist() == [2]
    assert evaluate_retrieval(query, gallery, [1], [-1, -1, 1]).first_hit.tolist() == [1]
    assert evaluate_retrieval(query, gallery, [-1], [-1, -1, 1]).num_valid_queries == 0


def test_paddleclas_keeps_the_removed_at_similarity_zero():
    query = torch.tensor([[1.0, 0.0]])
    similarities = [0.9, -0.1, 0.3, -0.5]
    gallery = torch.tensor([[s, (1 - s * s) ** 0.5] for s in similarities])
    cameras = [[0], [0, 1, 1, 1]]
    ours = evaluate_retrieval(query, gallery, [1], [1, 1, 2, 3], *cameras)
    theirs = evaluate_retrieval(query, gallery, [1], [1, 1, 2, 3], *cameras, counting="paddleclas")
    assert (ours.mAP, theirs.mAP) == (1 / 2, 1 / 3)
    data = problem(spread=2.0)
    result = evaluate_retrieval(*data, counting="paddleclas")
    check_result(result, oracle(*data, keep_junk=True)[0])
    assert result.mAP < evaluate_retrieval(*data).mAP


def test_the_old_name_of_counting_works_and_names_the_new():
    data = problem(spread=2.0)
    with pytest.warns(FutureWarning, match=r"protocol=\) is now called counting=") as caught:
        old = evaluate_retrieval(*data, protocol="paddleclas")
    assert caught[0].filename == __file__, "the warning should point at the caller"
    np.testing.assert_array_equal(old.ap, evaluate_retrieval(*data, counting="paddleclas").ap)
    assert old.mAP != evaluate_retrieval(*data).mAP
    with (
        pytest.warns(FutureWarning, match="counting="),
        pytest.raises(ValueError, match="counting='viper' is unknown"),
    ):
        evaluate_retrieval(*data, protocol="viper")
