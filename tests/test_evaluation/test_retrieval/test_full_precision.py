"""Precision of products: the caller's switches decide nothing, and stay."""

import numpy as np
import pytest
import torch
from helpers.ranking_oracle import problem

from mmreid_ext.evaluation import evaluate_retrieval
from mmreid_ext.evaluation.retrieval.full_precision import full_precision


def test_autocast_and_reduced_products_change_nothing():
    data = problem(dim=256)
    expected = evaluate_retrieval(*data)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            result = evaluate_retrieval(*data)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    np.testing.assert_array_equal(result.ap, expected.ap)
    assert result.tpr_at_fpr == expected.tpr_at_fpr


def test_switches_are_put_back_after_an_error():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with (
            pytest.raises(KeyError),
            torch.autocast("cpu", dtype=torch.bfloat16),
            full_precision(torch.device("cpu")),
        ):
            assert torch.get_float32_matmul_precision() == "highest"
            assert not torch.is_autocast_enabled("cpu") and not torch.is_grad_enabled()
            raise KeyError
        assert torch.get_float32_matmul_precision() == "medium" and torch.is_grad_enabled()
    finally:
        torch.set_float32_matmul_precision(before)
