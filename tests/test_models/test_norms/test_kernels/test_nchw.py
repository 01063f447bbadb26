import pytest
import torch
from helpers import plane_kernels

from mmreid_ext.models.norms.kernels import nchw

LAYOUT = torch.contiguous_format


@pytest.mark.parametrize("dtype", plane_kernels.TOLERANCE, ids=str)
@pytest.mark.parametrize("check", plane_kernels.CHECKS)
def test_against_the_definition(check, dtype):
    check(nchw, LAYOUT, dtype)


@pytest.mark.parametrize("dtype", plane_kernels.TOLERANCE, ids=str)
def test_moments_of_planes_far_from_zero(dtype):
    plane_kernels.check_moments_far_from_zero(nchw, LAYOUT, dtype)


def test_sums_of_half_precision_with_the_greatest_mean():
    """The mean exceeds the spread by as many bits as a value has, which float32 still leaves."""
    x = (plane_kernels.images(LAYOUT) + 100).to(torch.bfloat16)
    grad = plane_kernels.images(LAYOUT, torch.bfloat16, seed=2)
    mean = x.float().mean((2, 3))
    plain, centred = nchw.plane_sums(x, grad, mean)
    products = grad.double() * (x.double() - plane_kernels.at_pixels(mean))
    # 24 terms, each exact to 2^-24 of 100 times a gradient of up to 3.
    assert plain.dtype == centred.dtype == torch.float32
    torch.testing.assert_close(centred.double(), products.sum((2, 3)), rtol=0, atol=1e-3)


def test_an_activation_may_work_in_place_on_the_result():
    """Autograd refuses that on a view made inside a function."""
    x = plane_kernels.images(LAYOUT)
    scale, shift = plane_kernels.vectors(2)
    assert not nchw.scale_shift(x, scale, shift)._is_view()
