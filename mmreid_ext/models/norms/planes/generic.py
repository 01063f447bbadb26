"""The four operations in elementary PyTorch, for any device and memory layout."""

from __future__ import annotations

import torch
from torch import Tensor

from .precision import stats_dtype


def instance_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """See :func:`mmreid_ext.models.norms.planes.dispatch.instance_moments`."""
    var, mean = torch.var_mean(x.to(stats_dtype(x)), dim=(2, 3), correction=0)
    return mean, var


def plane_sums(x: Tensor, grad: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """See :func:`mmreid_ext.models.norms.planes.dispatch.plane_sums`."""
    dtype = stats_dtype(x)
    grad = grad.to(dtype)
    centred = x.to(dtype) - mean[:, :, None, None]
    return grad.sum((2, 3)), (grad * centred).sum((2, 3))


def scale_shift(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """See :func:`mmreid_ext.models.norms.planes.dispatch.scale_shift`."""
    return torch.addcmul(shift[:, :, None, None], x, scale[:, :, None, None]).to(x.dtype)


def combine(grad: Tensor, scale: Tensor, x: Tensor, slope: Tensor, shift: Tensor) -> Tensor:
    """See :func:`mmreid_ext.models.norms.planes.dispatch.combine`."""
    total = torch.addcmul(shift[:, :, None, None], grad, scale[:, :, None, None])
    return total.addcmul_(x, slope[:, :, None, None]).to(x.dtype)
