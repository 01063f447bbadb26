"""The four plane operations against their definitions in float64, for every implementation."""

import pytest
import torch
from helpers.bin_layers import make_images

from mmreid_ext.models.norms import planes
from mmreid_ext.models.norms.planes import dispatch, generic, nchw, nhwc

FORMATS = {generic: torch.contiguous_format, nchw: torch.contiguous_format}
IMPLEMENTATIONS = pytest.mark.parametrize(
    "kernels", [generic, nchw, nhwc], ids=lambda k: k.__name__.rpartition(".")[2]
)
# One rounding of values up to about 10 to 24, 11 and 8 bits.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 3e-6, torch.float16: 8e-3, torch.bfloat16: 6e-2}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)


def images(kernels, dtype, seed=1, shape=(3, 5, 6, 4)):
    layout = FORMATS.get(kernels, torch.channels_last)
    return make_images(*shape, dtype=dtype, seed=seed).to(memory_format=layout)


def vectors(*names, dtype=torch.float64):
    generator = torch.Generator().manual_seed(7)
    wide = planes.stats_dtype(torch.empty(0, dtype=dtype))
    return [torch.randn(3, 5, generator=generator, dtype=torch.float64).to(wide) for _ in names]


def at_pixels(vector):
    return vector.double()[:, :, None, None]


def assert_near(found, expected, dtype):
    tolerance = TOLERANCE[dtype]
    torch.testing.assert_close(found.double(), expected, rtol=tolerance, atol=tolerance)


@IMPLEMENTATIONS
@DTYPES
def test_moments(kernels, dtype):
    x = images(kernels, dtype)
    mean, var = kernels.instance_moments(x)
    assert mean.dtype == var.dtype == planes.stats_dtype(x)
    pixels = x.double().flatten(2)
    # Statistics are float32 even of half-precision values.
    assert_near(mean, pixels.mean(2), mean.dtype)
    assert_near(var, (pixels - pixels.mean(2, keepdim=True)).square().mean(2), var.dtype)


@IMPLEMENTATIONS
@DTYPES
def test_sums(kernels, dtype):
    x, grad = images(kernels, dtype), images(kernels, dtype, seed=2)
    (mean,) = vectors("mean", dtype=dtype)
    plain, centred = kernels.plane_sums(x, grad, mean)
    products = grad.double() * (x.double() - at_pixels(mean))
    # Sums of 24 terms of up to 30.
    torch.testing.assert_close(plain.double(), grad.double().sum((2, 3)), rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(centred.double(), products.sum((2, 3)), rtol=1e-5, atol=1e-4)


@IMPLEMENTATIONS
@DTYPES
def test_scale_shift_and_combine(kernels, dtype):
    x, grad = images(kernels, dtype), images(kernels, dtype, seed=2)
    scale, shift, slope = vectors("scale", "shift", "slope", dtype=dtype)
    slope = slope.to(dtype)
    before = x.clone(), grad.clone()
    y = kernels.scale_shift(x, scale, shift)
    assert_near(y, at_pixels(scale) * x.double() + at_pixels(shift), dtype)
    total = kernels.combine(grad, scale, x, slope, shift)
    direct = at_pixels(scale) * grad.double() + at_pixels(shift)
    assert_near(total, direct + at_pixels(slope) * x.double(), dtype)
    for result in (y, total):
        assert result.dtype == dtype
        assert result.stride() == x.stride()
    assert torch.equal(x, before[0])
    assert torch.equal(grad, before[1])


def test_dispatch(monkeypatch):
    big, small = (1, 64, 16, 8), (2, 5, 4, 3)
    last = {"memory_format": torch.channels_last}
    chosen = {
        nchw: [torch.zeros(small), torch.zeros(big)],
        nhwc: [torch.zeros(big).to(**last)],
        generic: [
            torch.zeros(small).to(**last),
            torch.zeros(0, *small[1:]),
            torch.zeros(small)[:, :, ::2],
            torch.zeros(small, device="meta"),
        ],
    }
    for kernels, inputs in chosen.items():
        for x in inputs:
            assert dispatch.kernels_for(x) is kernels, x.shape


@pytest.mark.parametrize("kernels", [nchw, nhwc], ids=["nchw", "nhwc"])
def test_a_gradient_of_another_layout(kernels, monkeypatch):
    monkeypatch.setattr(dispatch, "SMALL_IMAGE", 1)
    x = images(kernels, torch.float64)
    other = images({nchw: nhwc, nhwc: nchw}[kernels], torch.float64, seed=2)
    scale, shift, slope = vectors("scale", "shift", "slope")
    torch.testing.assert_close(
        planes.plane_sums(x, other, shift), generic.plane_sums(x, other, shift)
    )
    torch.testing.assert_close(
        planes.combine(other, scale, x, slope, shift),
        generic.combine(other, scale, x, slope, shift),
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_moments_of_planes_far_from_zero(dtype, memory_format):
    """One plane of a thousand is far from zero: it is recomputed, its neighbours are left alone."""
    x = make_images(4, 6, 32, 16, dtype=torch.float64, offset=0.0)
    x[1, 2] += 1e4
    x = x.to(dtype).to(memory_format=memory_format)
    mean, var = planes.instance_moments(x)
    want_var, want_mean = torch.var_mean(x.double(), dim=(2, 3), correction=0)
    torch.testing.assert_close(mean.double(), want_mean, rtol=2e-7, atol=2e-7)
    torch.testing.assert_close(var.double(), want_var, rtol=1e-5, atol=0)
