import pytest
import torch
from helpers import plane_kernels

from mmreid_ext.models.norms.kernels import nchw

LAYOUT = torch.contiguous_format


@pytest.mark.parametrize("dtype", plane_kernels.TOLERANCE, ids=str)
@pytest.mark.parametrize("check", plane_kernels.CHECKS)
def test_against_the_definition(check, dtype):
    check(nchw, LAYOUT, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_moments_of_planes_far_from_zero(dtype):
    plane_kernels.check_moments_far_from_zero(nchw, LAYOUT, dtype)


def test_an_activation_may_work_in_place_on_the_result():
    """Autograd refuses that on a view made inside a function."""
    x = plane_kernels.images(LAYOUT)
    scale, shift = plane_kernels.vectors(2)
    assert not nchw.scale_shift(x, scale, shift)._is_view()
