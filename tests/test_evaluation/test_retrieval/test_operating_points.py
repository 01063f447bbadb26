"""TPR at FPR and the ROC curve, against sorted scores."""

import numpy as np
import pytest
import torch
from helpers.ranking_oracle import oracle, problem
from torch.nn.functional import normalize

from mmreid_ext.evaluation import evaluate_retrieval
from mmreid_ext.evaluation.retrieval.operating_points import ScoreHistogram


def test_roc_is_monotone_and_passes_through_the_operating_points():
    data = problem()
    result = evaluate_retrieval(*data)
    fpr, tpr = result.roc
    assert (np.diff(fpr) > 0).all() and (np.diff(tpr) >= 0).all() and tpr[-1] == 1
    _, true, wrong = oracle(*data)
    for x, y in zip(fpr[::20], tpr[::20], strict=True):
        allowed = int(x * len(wrong) + 1e-9)
        expected = 1.0 if allowed >= len(wrong) else (true > wrong[allowed]).mean()
        assert y == pytest.approx(expected, abs=1.01 / len(true))  # one pair may share a bin


def test_queries_without_a_match_take_part_in_no_operating_point():
    query, gallery, qp, gp, qc, gc = problem(queries=80, gallery=300)
    qc[qp < 8], gc[gp < 8] = 0, 0  # the camera rule takes all matches of these
    results = [
        evaluate_retrieval(query, gallery, qp, gp, qc, gc, memory_budget=budget)
        for budget in (3_000, 10_000, 100_000, None)
    ]
    valid = np.isfinite(results[0].ap)
    assert 0 < valid.sum() < np.isin(qp, gp).sum()
    results.append(evaluate_retrieval(query[valid], gallery, qp[valid], gp, qc[valid], gc))
    for result in results:
        assert result.tpr_at_fpr == results[0].tpr_at_fpr
        np.testing.assert_array_equal(result.roc, results[0].roc)


def test_operating_points_of_a_little_set_depend_on_no_tile():
    # 64 dimensions and 200,000 pairs: float32 tiles of several shapes round differently
    arrays = problem(dim=64, queries=100, gallery=2000)
    arrays[0], arrays[1] = normalize(arrays[0]), normalize(arrays[1])
    results = [evaluate_retrieval(*arrays, memory_budget=b) for b in (3_000, 2**20, None)]
    for result in results:
        np.testing.assert_array_equal(result.roc, results[0].roc)


def filled(positive, negative):
    histogram = ScoreHistogram(torch.device("cpu"))
    histogram.add_positive(torch.tensor(positive, dtype=torch.float64))
    tile = torch.tensor([negative, [-torch.inf] * len(negative)])
    histogram.add_negative(tile, len(negative), rows_at_once=1)
    return histogram


def test_rates_of_a_few_scores():
    histogram = filled([0.9, 0.5, -1.0], [0.7, 0.2, -0.3, -1.0])
    assert int(histogram.negative.sum()) == 4, "what is masked is counted nowhere"
    assert histogram.negative[0] == 1 and histogram.positive[0] == 1
    # thresholds above 0.7, above 0.2, above -0.3, none
    rates = histogram.tpr(np.array([0.0, 0.24, 0.25, 0.5, 0.75, 1.0]))
    assert rates.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3, 2 / 3, 1])


def test_ties_never_help():
    assert filled([0.5], [0.5, 0.1]).tpr(np.array([0.0])).tolist() == [0.0]
    assert filled([0.5], [0.5, 0.1]).tpr(np.array([0.5])).tolist() == [1.0]


def test_pairs_of_one_kind_have_no_rate():
    assert np.isnan(filled([0.5], []).tpr(np.array([0.1, 1.0]))).all()
    assert np.isnan(filled([], [0.5]).tpr(np.array([0.1]))).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_threshold_makes_the_rates_that_it_stands_for(seed):
    rng = np.random.default_rng(seed)
    scores = [rng.normal(mean, 0.2, count).clip(-1, 1) for mean, count in ((0.6, 700), (0.1, 5000))]
    histogram = filled(*(values.tolist() for values in scores))
    fprs = np.array([1.0, 0.5, 0.1, 0.01, 0.001, 0.0002])
    for fpr, tpr, threshold in zip(
        fprs, histogram.tpr(fprs), histogram.thresholds(fprs), strict=True
    ):
        positive, negative = (values >= threshold for values in scores)
        assert positive.mean() == tpr
        assert negative.sum() <= fpr * len(negative) + 1e-9
        lower = threshold - 2 / histogram.BINS  # one bin lower, one false acceptance too many
        assert fpr == 1 or (scores[1] >= lower).sum() > np.floor(fpr * len(negative) + 1e-9)


def test_a_rate_that_the_pairs_do_not_support_has_no_threshold():
    histogram = filled([0.9, 0.5], [0.7, 0.2, -0.3, -1.0])
    assert np.isnan(histogram.thresholds(np.array([0.0, 0.24]))).all()
    assert np.isfinite(histogram.thresholds(np.array([0.25, 1.0]))).all()
    assert histogram.thresholds(np.array([1.0])).tolist() == [-1.0]
    empty = ScoreHistogram(torch.device("cpu"))
    assert np.isnan(empty.thresholds(np.array([1.0]))).all()


def test_copies_of_one_image_under_two_names_leave_no_threshold():
    copies = filled([1.0, 0.5], [1.0, 1.0, 0.2, 0.1])
    thresholds = copies.thresholds(np.array([0.25, 0.5]))
    assert np.isnan(thresholds[0]), "one acceptance is allowed, two have the highest similarity"
    assert thresholds[1] < 1
