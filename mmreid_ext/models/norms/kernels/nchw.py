"""Compute the four operations for contiguous (N, C, H, W) on a CPU.

Such a batch is, without moving anything, one image with N * C channels; a batch norm of that image
has one mean, variance, scale and shift per plane.
Shapes: x, grad (N, C, H, W); mean, var, scale, shift, slope (N, C).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .generic import replace_cancelled, stats_dtype


def _as_one_image(x: Tensor) -> Tensor:
    return x.view(1, -1, *x.shape[2:])


def instance_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    dtype = stats_dtype(x)
    pixels = x.shape[2] * x.shape[3]
    if x.dtype != dtype:
        # One pass: `replace_cancelled` looks again where a mean dwarfs the spread.
        total, squares = _half_sums(x, x, torch.zeros(x.shape[:2]))
        mean = total / pixels
        return replace_cancelled(x, mean, (squares / pixels - mean.square()).clamp_(min=0))
    mean = x.sum((2, 3), dtype=dtype) / pixels
    # sum x (x - mean) = sum (x - mean)^2 + mean * sum (x - mean); the last sum is the rounding
    # error of the mean, times the number of pixels.
    residual, centred_sum = plane_sums(x, x, mean)
    residual = residual - pixels * mean
    var = ((centred_sum - residual * mean) / pixels).clamp_(min=0)
    return replace_cancelled(x, mean, var)


def plane_sums(x: Tensor, grad: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    if x.dtype != mean.dtype:
        return _half_sums(x, grad, mean)
    # The parameter gradients of an evaluation-mode batch norm of unit variance are these sums.
    ones = torch.ones(mean.numel(), dtype=mean.dtype)
    only_params = [False, True, True]
    _, centred_sum, plain_sum = torch.ops.aten.native_batch_norm_backward(
        _as_one_image(grad),
        _as_one_image(x),
        ones,
        mean.reshape(-1),
        ones,
        None,
        None,
        False,
        0.0,
        only_params,
    )
    return plain_sum.view_as(mean), centred_sum.view_as(mean)


def _half_sums(x: Tensor, grad: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """Sum as :func:`plane_sums` does, in half precision, with float32 accumulators.

    The kernel of batch norm spends more on the start of a small plane than on its values. Those of
    group norm don't: their parameter gradients are these sums, with a group per plane. They compute
    ``sum grad x - mean * sum grad``, which loses the bits by which the mean exceeds the spread.
    Values of 8 or 11 bits can't have more of these than they have bits, and float32 has 24.
    """
    planes, pixels = mean.numel(), x.shape[2] * x.shape[3]
    centre, ones = mean.reshape(1, -1), torch.ones(1, planes)
    only_params = [False, True, True]
    _, centred_sum, plain_sum = torch.ops.aten.native_group_norm_backward(
        _as_one_image(grad),
        _as_one_image(x),
        centre,
        ones,
        ones[0],
        1,
        planes,
        pixels,
        planes,
        only_params,
    )
    return plain_sum.view_as(mean), centred_sum.view_as(mean)


def scale_shift(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    flat = scale.reshape(-1)
    zeros, ones = torch.zeros_like(flat), torch.ones_like(flat)
    planes = torch.batch_norm(
        _as_one_image(x), flat, shift.reshape(-1), zeros, ones, False, 0.0, 0.0, False
    )
    # Not a view: an activation that follows may work in place, which autograd forbids on views.
    return torch.ops.aten._unsafe_view(planes, x.shape)


def combine(grad: Tensor, scale: Tensor, x: Tensor, slope: Tensor, shift: Tensor) -> Tensor:
    return scale_shift(grad, scale, shift).addcmul_(x, slope[:, :, None, None])
