"""Compute the four operations in elementary PyTorch, for any device and memory layout.

Also holds the two rules of precision that all implementations share.
Shapes: x, grad (N, C, H, W); mean, var, scale, shift, slope (N, C).
"""

from __future__ import annotations

import torch
from torch import Tensor

# With mean^2 = 16 var, a sum of products loses log2(16) = 4 bits of a float32's 24; beyond it the
# plane is computed again. A map after a ReLU stays far below: few planes pay for the second look.
CANCELLED = 16


def stats_dtype(x: Tensor) -> torch.dtype:
    """Return the precision of statistics: float32 for half precision, else that of ``x``."""
    return torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype


def replace_cancelled(x: Tensor, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Recompute, slowly and exactly, the moments of the few planes whose mean dwarfs their spread.

    There a sum of products cancels, with a relative error of about ``eps * mean^2 / var``, and a
    plain running sum spoils the mean.

    Args:
        x: Shape (N, C, H, W).
        mean: Shape (N, C), changed in place.
        var: Shape (N, C), changed in place.
    """
    cancelled = mean.square() > CANCELLED * var
    if cancelled.any():
        planes = x.flatten(2)[cancelled].to(mean.dtype)
        var[cancelled], mean[cancelled] = torch.var_mean(planes, dim=1, correction=0)
    return mean, var


def instance_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    var, mean = torch.var_mean(x.to(stats_dtype(x)), dim=(2, 3), correction=0)
    return mean, var


def plane_sums(x: Tensor, grad: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    dtype = stats_dtype(x)
    grad = grad.to(dtype)
    centred = x.to(dtype) - mean[:, :, None, None]
    return grad.sum((2, 3)), (grad * centred).sum((2, 3))


def scale_shift(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return torch.addcmul(shift[:, :, None, None], x, scale[:, :, None, None]).to(x.dtype)


def combine(grad: Tensor, scale: Tensor, x: Tensor, slope: Tensor, shift: Tensor) -> Tensor:
    total = torch.addcmul(shift[:, :, None, None], grad, scale[:, :, None, None])
    return total.addcmul_(x, slope[:, :, None, None]).to(x.dtype)
