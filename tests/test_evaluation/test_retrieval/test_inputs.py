"""Features and labels: forms that are taken, and what is refused by name."""

import numpy as np
import pytest
import torch
from helpers.ranking_oracle import check_result, oracle, problem

from mmreid_ext.evaluation import evaluate_retrieval
from mmreid_ext.evaluation.retrieval.inputs import RetrievalInputs, as_features, as_labels


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_any_float_type_and_numpy_give_the_ranking_of_their_values(dtype):
    data = problem()
    data[:2] = (x.to(dtype) for x in data[:2])
    expected = oracle(*data)[0]
    check_result(evaluate_retrieval(*data), expected)
    if dtype != torch.bfloat16:
        check_result(evaluate_retrieval(*(x.numpy() for x in data[:2]), *data[2:]), expected)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {0: torch.tensor([[1.0, float("nan")]])},
            ValueError,
            r"query_feats: 1 of 1 rows hold NaN.*first: 0\)",
        ),
        ({1: torch.full((2, 2), float("inf"))}, ValueError, r"gallery_feats: 2 of 2 rows"),
        ({0: torch.ones(1, 3)}, ValueError, "query_feats have 3 dimensions, gallery_feats 2"),
        ({0: torch.ones(2)}, ValueError, r"query_feats must have shape \(N, D\)"),
        ({1: torch.ones(2, 2).int()}, TypeError, "gallery_feats must be a floating.*int32"),
        ({0: [[1.0, 2.0]]}, TypeError, "query_feats must be a floating.*list"),
        ({2: [1, 2]}, ValueError, r"query_pids has shape \(2,\), query_feats has 1 rows"),
        ({3: [1]}, ValueError, r"gallery_pids has shape \(1,\), gallery_feats has 2 rows"),
        ({3: [1.0, 2.0]}, TypeError, "gallery_pids must be integers, got float64"),
        ({4: [0]}, ValueError, "query_camids is given and gallery_camids is not"),
        ({5: [0, 1]}, ValueError, "gallery_camids is given and query_camids is not"),
        ({4: [0], 5: [0]}, ValueError, r"gallery_camids has shape \(1,\)"),
        ({"distance": "l2"}, ValueError, "distance='l2' is unknown.*cosine"),
        ({"counting": "x"}, ValueError, "counting='x' is unknown.*standard"),
        (
            {"counting": "paddleclas", "distance": "euclidean"},
            ValueError,
            "needs distance='cosine'",
        ),
        ({"max_rank": 0}, ValueError, "max_rank=0 must be at least 1"),
        ({"rerank": {"k": 3}}, ValueError, r"unknown entries \['k'\]; use k1, k2"),
        ({"rerank": {"k1": 0}}, ValueError, "k1=0.*at least 1"),
        ({"rerank": {"lambda_value": 1.5}}, ValueError, r"lambda_value within \[0, 1\]"),
        ({"memory_budget": 0}, ValueError, "memory_budget=0 must be a positive number"),
    ],
)
def test_errors_name_value_and_remedy(change, error, message):
    arguments = [torch.ones(1, 2), torch.ones(2, 2), [1], [1, 2], None, None]
    for key, value in change.items():
        if isinstance(key, int):
            arguments[key] = value
    keywords = {k: v for k, v in change.items() if isinstance(k, str)}
    with pytest.raises(error, match=message):
        evaluate_retrieval(*arguments, **keywords)


def test_labels_beyond_int64_are_refused():
    with pytest.raises(ValueError, match="query_pids has 9223372036854775808, at most"):
        evaluate_retrieval(torch.ones(1, 2), torch.ones(1, 2), np.array([2**63]), [1])


def test_features_are_the_callers_memory_where_they_can_be():
    array = np.ones((3, 2), np.float32)
    assert as_features(array, "feats").data_ptr() == array.ctypes.data
    for other in (array[::-1], array.astype(">f4"), np.broadcast_to(array[:1], (3, 2))):
        assert as_features(other, "feats").tolist() == [[1.0, 1.0]] * 3
    tensor = torch.ones(3, 2, requires_grad=True)
    found = as_features(tensor, "feats")
    assert found.data_ptr() == tensor.data_ptr() and not found.requires_grad


@pytest.mark.parametrize("labels", [[1, 2], np.array([1, 2], np.uint8), torch.tensor([1, 2])])
def test_labels_become_int64(labels):
    found = as_labels(labels, torch.ones(2, 3), "pids", "feats")
    assert found.dtype == torch.int64 and found.tolist() == [1, 2]
    assert as_labels([], torch.ones(0, 3), "pids", "feats").shape == (0,)


def test_junk_is_left_out_and_rows_keep_their_numbers():
    feats = torch.arange(8.0).view(4, 2)
    arguments = (torch.ones(1, 2), feats, [1], [1, -1, 0, -1])
    inputs = RetrievalInputs.check(*arguments, [0], [5, 6, 7, 8])
    assert inputs.gallery.tolist() == [[0, 1], [4, 5]]
    assert inputs.gallery_pids.tolist() == [1, 0] and inputs.gallery_camids.tolist() == [5, 7]
    assert inputs.gallery_rows.tolist() == [0, 2]
    inputs = RetrievalInputs.check(*arguments, None, None)
    assert inputs.gallery_camids is None
    everything = RetrievalInputs.check(*arguments[:3], [1, 2, 0, 3], None, None)
    assert everything.gallery_rows is None and everything.gallery.data_ptr() == feats.data_ptr()
