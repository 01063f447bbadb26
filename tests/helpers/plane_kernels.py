"""The four plane operations against their definitions in float64."""

import torch
from helpers.bin_layers import make_images

from mmreid_ext.models.norms.kernels import stats_dtype

# One rounding of values up to about 10 to 24, 11 and 8 bits.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 3e-6, torch.float16: 8e-3, torch.bfloat16: 6e-2}
SHAPE = (3, 5, 6, 4)


def images(layout, dtype=torch.float64, seed=1, shape=SHAPE):
    return make_images(*shape, dtype=dtype, seed=seed).to(memory_format=layout)


def vectors(count, dtype=torch.float64):
    generator = torch.Generator().manual_seed(7)
    wide = stats_dtype(torch.empty(0, dtype=dtype))
    draws = torch.randn(count, *SHAPE[:2], generator=generator, dtype=torch.float64)
    return draws.to(wide).unbind()


def at_pixels(vector):
    return vector.double()[:, :, None, None]


def assert_near(found, expected, dtype):
    tolerance = TOLERANCE[dtype]
    torch.testing.assert_close(found.double(), expected, rtol=tolerance, atol=tolerance)


def check_moments(kernels, layout, dtype):
    x = images(layout, dtype)
    mean, var = kernels.instance_moments(x)
    assert mean.dtype == var.dtype == stats_dtype(x)
    pixels = x.double().flatten(2)
    # Statistics are float32 even of half-precision values.
    assert_near(mean, pixels.mean(2), mean.dtype)
    assert_near(var, (pixels - pixels.mean(2, keepdim=True)).square().mean(2), var.dtype)


def check_sums(kernels, layout, dtype):
    x, grad = images(layout, dtype), images(layout, dtype, seed=2)
    (mean,) = vectors(1, dtype)
    plain, centred = kernels.plane_sums(x, grad, mean)
    products = grad.double() * (x.double() - at_pixels(mean))
    # Sums of 24 terms of up to 30.
    torch.testing.assert_close(plain.double(), grad.double().sum((2, 3)), rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(centred.double(), products.sum((2, 3)), rtol=1e-5, atol=1e-4)


def check_scale_shift_and_combine(kernels, layout, dtype):
    x, grad = images(layout, dtype), images(layout, dtype, seed=2)
    scale, shift, slope = vectors(3, dtype)
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


CHECKS = (check_moments, check_sums, check_scale_shift_and_combine)


def check_moments_far_from_zero(kernels, layout, dtype):
    """One plane of a thousand is far from zero: it is recomputed, its neighbours are left alone."""
    x = make_images(4, 6, 32, 16, dtype=torch.float64, offset=0.0)
    # Half precision keeps some of the spread there, too.
    x[1, 2] += 1e4 if dtype in (torch.float32, torch.float64) else 300
    x = x.to(dtype).to(memory_format=layout)
    mean, var = kernels.instance_moments(x)
    want_var, want_mean = torch.var_mean(x.double(), dim=(2, 3), correction=0)
    torch.testing.assert_close(mean.double(), want_mean, rtol=2e-7, atol=2e-7)
    torch.testing.assert_close(var.double(), want_var, rtol=1e-5, atol=0)
