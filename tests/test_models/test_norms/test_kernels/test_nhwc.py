import pytest
import torch
from helpers import plane_kernels

from mmreid_ext.models.norms.kernels import nhwc

LAYOUT = torch.channels_last


@pytest.mark.parametrize("dtype", plane_kernels.TOLERANCE, ids=str)
@pytest.mark.parametrize("check", plane_kernels.CHECKS)
def test_against_the_definition(check, dtype):
    check(nhwc, LAYOUT, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_moments_of_planes_far_from_zero(dtype):
    plane_kernels.check_moments_far_from_zero(nhwc, LAYOUT, dtype)


@pytest.mark.parametrize("cached", [1, 2 * 5 * 6 * 4, 1 << 30], ids=["one", "two", "all"])
def test_combine_image_by_image_and_in_chunks(cached, monkeypatch):
    """Three images in chunks of one, of two with a rest, and in one piece."""
    monkeypatch.setattr(nhwc, "CACHED_VALUES", cached)
    plane_kernels.check_scale_shift_and_combine(nhwc, LAYOUT, torch.float32)
