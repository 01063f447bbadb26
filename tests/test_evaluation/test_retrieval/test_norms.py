"""Norms: in float64 for every type, and rows that are out of range are named."""

import numpy as np
import pytest
import torch
from helpers.ranking_oracle import problem

from mmreid_ext.evaluation import evaluate_retrieval
from mmreid_ext.evaluation.retrieval.norms import row_norms, with_zero_direction


@pytest.mark.parametrize("side", [0, 1], ids=["query", "gallery"])
@pytest.mark.parametrize("norm", [1e4, 1e7, 1e12])
def test_an_outlier_changes_no_other_rank_and_is_named(side, norm):
    arrays = problem(queries=30, gallery=300)
    feats, pids, camids = [arrays[i + side] for i in (0, 2, 4)]
    plain = evaluate_retrieval(*arrays, distance="euclidean")
    extra = torch.full((1, feats.shape[1]), norm / 4)
    arrays[side] = torch.cat([feats, extra])
    arrays[2 + side], arrays[4 + side] = np.append(pids, 9999), np.append(camids, 0)
    with pytest.warns(UserWarning, match=rf"{name(side)}: 1 of .*first: {len(pids)}\)"):
        found = evaluate_retrieval(*arrays, distance="euclidean")
    np.testing.assert_array_equal(found.ap[:30], plain.ap)
    assert found.mAP == plain.mAP


def name(side):
    return ("query_feats", "gallery_feats")[side]


@pytest.mark.parametrize(
    ("feats", "message"),
    [
        (np.ones((1, 2), np.longdouble), "query_feats must be a floating.*float128"),
        (torch.ones(1, 2).to(torch.float8_e4m3fn), "query_feats must be a floating.*float8"),
        (torch.full((1, 2), 1e200, dtype=torch.float64), "query_feats: 1 of 1 .*norm outside"),
        (torch.full((1, 2), 1e-200, dtype=torch.float64), "query_feats: 1 of 1 .*norm outside"),
    ],
)
def test_numbers_that_the_arithmetic_can_not_hold(feats, message):
    with pytest.raises(ValueError, match=message):
        evaluate_retrieval(feats, torch.ones(1, 2), [1], [1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_norms_are_those_of_float64(dtype):
    feats = torch.randn(300, 7, generator=torch.Generator().manual_seed(0)).to(dtype)
    expected = feats.double().square().sum(1).sqrt()
    norms = row_norms(feats, "feats")
    assert norms.dtype == torch.float64
    torch.testing.assert_close(norms, expected, rtol=1e-15, atol=0)
    assert row_norms(feats[:0], "feats").shape == (0,)


def test_the_first_five_bad_rows_are_named_as_the_caller_counts():
    feats = torch.ones(9, 2)
    feats[1:8, 0] = torch.nan
    with pytest.raises(ValueError, match=r"feats: 7 of 9 rows hold NaN.*first: 1, 2, 3, 4, 5"):
        row_norms(feats, "feats")
    with pytest.raises(ValueError, match="first: 101, 102"):
        row_norms(feats, "feats", torch.arange(100, 109))


def test_zero_features_get_a_direction_of_their_own():
    feats = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    norms = row_norms(feats, "feats")
    assert with_zero_direction(feats, norms).tolist() == [[3, 4, 0], [0, 0, 1]]
    assert with_zero_direction(feats[:1], norms[:1]) is not None
    assert with_zero_direction(feats[:1], norms[:1]).shape == (1, 2)
