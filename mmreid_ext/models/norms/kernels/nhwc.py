"""Compute the four operations for channels-last (N, C, H, W) on a CPU.

A batch norm of one image has one mean, variance, scale and shift per channel: its planes. So the
batch-norm kernels run image by image, and each image stays in the cache between the passes over it.
Shapes: x, grad (N, C, H, W); mean, var, scale, shift, slope (N, C); rows (N, H * W, C).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .generic import replace_cancelled, stats_dtype

# `combine` adds its second term while the first is still in the cache: 2 MiB of float32 at a time,
# which fits the second-level cache of a server's core.
CACHED_VALUES = 1 << 19


def _rows(x: Tensor) -> Tensor:
    """View (N, C, H, W), channels-last, as (N, H * W, C)."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def instance_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    # Two passes per image; the momentum 0 makes the running averages scratch.
    running = torch.zeros(2, x.shape[1], dtype=stats_dtype(x))
    stats = [torch.ops.aten.batch_norm_update_stats(image, *running, 0.0) for image in x.split(1)]
    mean, var = (torch.stack(parts) for parts in zip(*stats, strict=True))
    return replace_cancelled(x, mean, var)


def plane_sums(x: Tensor, grad: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    # The parameter gradients of an evaluation-mode batch norm of unit variance are these sums.
    ones = torch.ones(mean.shape[1], dtype=mean.dtype)
    only_params = [False, True, True]
    kernel = torch.ops.aten.native_batch_norm_backward
    sums = [
        kernel(dy, image, ones, centre, ones, None, None, False, 0.0, only_params)
        for image, dy, centre in zip(x.split(1), grad.split(1), mean.unbind(), strict=True)
    ]
    _, centred_sum, plain_sum = zip(*sums, strict=True)
    return torch.stack(plain_sum), torch.stack(centred_sum)


def scale_shift(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    result = torch.empty_like(x)
    if x.dtype == scale.dtype:
        torch.addcmul(shift[:, None], _rows(x), scale[:, None], out=_rows(result))
        return result
    # Half precision with float32 coefficients: only the batch-norm kernel mixes them.
    zeros, ones = scale.new_zeros(x.shape[1]), scale.new_ones(x.shape[1])
    unused = scale.new_empty(0)
    for image, factor, offset, out in zip(x.split(1), scale, shift, result.split(1), strict=True):
        torch.native_batch_norm(
            image, factor, offset, zeros, ones, False, 0.0, 0.0, out=(out, unused, unused)
        )
    return result


def combine(grad: Tensor, scale: Tensor, x: Tensor, slope: Tensor, shift: Tensor) -> Tensor:
    if x.dtype != scale.dtype:
        result = scale_shift(grad, scale, shift)
        _rows(result).addcmul_(_rows(x), slope[:, None])
        return result
    result = torch.empty_like(grad)
    images = max(1, CACHED_VALUES // grad[0].numel())
    big, small = (_rows(result), _rows(grad), _rows(x)), (scale, slope, shift)
    chunks = (*(t.split(images) for t in big), *(t[:, None].split(images) for t in small))
    for out, dy, rows, factor, rise, offset in zip(*chunks, strict=True):
        torch.addcmul(offset, dy, factor, out=out).addcmul_(rows, rise)
    return result
