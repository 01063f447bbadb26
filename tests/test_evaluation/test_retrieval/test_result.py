"""Results: means over valid queries, CMC, and ranks that are none."""

import numpy as np
import pytest
import torch

from mmreid_ext.evaluation import evaluate_retrieval
from mmreid_ext.evaluation.retrieval.operating_points import ScoreHistogram
from mmreid_ext.evaluation.retrieval.result import FPRS, RetrievalResult


def test_empty_query_gallery_or_matches_give_nan_and_no_warning(recwarn):
    feats, pids = torch.ones(3, 4), [1, 2, 3]
    none, no_pids = torch.ones(0, 4), np.zeros(0, dtype=int)
    for arguments in (
        (none, feats, no_pids, pids),
        (feats, none, pids, no_pids),
        (none, none, [], []),
        (feats, feats, pids, [4, 5, 6]),
        (feats, feats, pids, [-1, -1, -1]),
    ):
        result = evaluate_retrieval(*arguments, max_rank=2)
        assert result.num_valid_queries == 0 and np.isnan(result.mAP) and np.isnan(result.mINP)
        assert np.isnan(result.cmc).all() and result.cmc.shape == (2,)
        assert result.ap.shape == (len(arguments[0]),) and np.isnan(result.ap).all()
        assert all(np.isnan(v) for v in result.tpr_at_fpr.values())
    assert not recwarn


@pytest.mark.parametrize("r", [0, -1, 51, 1.5, float("nan")])
def test_a_rank_that_is_none_is_refused(r):
    result = evaluate_retrieval(torch.eye(2), torch.eye(2), [0, 1], [0, 1])
    assert result.rank(1) == result.rank(50) == 1
    with pytest.raises(ValueError, match=f"r={r}.* from 1 to max_rank=50"):
        result.rank(r)


def test_means_and_cmc_leave_out_queries_that_are_not_valid():
    nan = np.nan
    fields = (np.array([1.0, nan, 0.5]), np.array([0.5, nan, 0.25]), np.array([1.0, nan, 3.0]))
    result = RetrievalResult.of_queries(*fields, ScoreHistogram(torch.device("cpu")), 4)
    assert (result.mAP, result.mINP, result.num_valid_queries) == (0.75, 0.375, 2)
    assert result.cmc.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert result.first_hit.tolist() == [1, 0, 3] and result.first_hit.dtype == np.int64
    assert tuple(result.tpr_at_fpr) == FPRS and np.isnan(result.roc[1]).all()
