import pytest
import torch
from helpers import plane_kernels

from mmreid_ext.models.norms.kernels import generic

LAYOUT = torch.contiguous_format


@pytest.mark.parametrize("dtype", plane_kernels.TOLERANCE, ids=str)
@pytest.mark.parametrize("check", plane_kernels.CHECKS)
def test_against_the_definition(check, dtype):
    check(generic, LAYOUT, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_moments_of_planes_far_from_zero(dtype):
    plane_kernels.check_moments_far_from_zero(generic, LAYOUT, dtype)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_statistics_of_half_precision_are_float32(dtype):
    assert generic.stats_dtype(torch.empty(0, dtype=dtype)) == torch.float32
    assert generic.stats_dtype(torch.empty(0, dtype=torch.float64)) == torch.float64


def test_only_cancelled_planes_are_recomputed():
    x = plane_kernels.images(LAYOUT)
    x[1, 2] += 1e4
    wrong_mean, wrong_var = torch.full((3, 5), 0.5), torch.full((3, 5), 1.0)
    wrong_mean, wrong_var = wrong_mean.double(), wrong_var.double()
    wrong_mean[1, 2] = 1e4
    mean, var = generic.replace_cancelled(x, wrong_mean.clone(), wrong_var.clone())
    untouched = torch.ones(3, 5, dtype=torch.bool)
    untouched[1, 2] = False
    assert torch.equal(mean[untouched], wrong_mean[untouched])
    assert torch.equal(var[untouched], wrong_var[untouched])
    expected = torch.var_mean(x[1, 2], correction=0)
    torch.testing.assert_close((var[1, 2], mean[1, 2]), expected)
