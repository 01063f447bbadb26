"""Choose the implementation of the four plane operations that serves a tensor.

Shapes: x, grad (N, C, H, W); mean, var, scale, shift, slope (N, C).
"""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor

from . import generic, nchw, nhwc

# `nhwc` calls a kernel per image. Below 8192 values the calls cost more than the kernel saves.
SMALL_IMAGE = 1 << 13


def kernels_for(x: Tensor) -> ModuleType:
    """Return the module whose functions serve ``x``."""
    # The batch-norm kernels divide by the number of values: an empty batch would end the process.
    if x.device.type != "cpu" or x.numel() == 0:
        return generic
    if x.is_contiguous():
        return nchw
    last = x.is_contiguous(memory_format=torch.channels_last)
    return nhwc if last and x[0].numel() >= SMALL_IMAGE else generic


def like_layout(grad: Tensor, x: Tensor) -> Tensor:
    """Bring ``grad`` into the memory layout of ``x`` if the kernels of ``x`` ask for it."""
    if kernels_for(x) is generic:
        return grad
    last = not x.is_contiguous()
    return grad.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)


def instance_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Compute mean and biased variance over the pixels of every plane, in two passes.

    Args:
        x: Shape (N, C, H, W).

    Returns:
        Mean and variance, each (N, C), in float32 for half-precision input.
    """
    return kernels_for(x).instance_moments(x)


def plane_sums(x: Tensor, grad: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """Sum ``grad`` and ``grad * (x - mean)`` over every plane, in one pass on a CPU.

    Args:
        x: Shape (N, C, H, W).
        grad: Shape (N, C, H, W).
        mean: Shape (N, C), in the precision of statistics.

    Returns:
        Both sums, each (N, C), in the precision of statistics.
    """
    return kernels_for(x).plane_sums(x, like_layout(grad, x), mean)


def scale_shift(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Return ``scale * x + shift`` in the precision and memory layout of ``x``.

    Args:
        x: Shape (N, C, H, W).
        scale: Shape (N, C), in the precision of statistics.
        shift: As ``scale``.
    """
    return kernels_for(x).scale_shift(x, scale, shift)


def combine(grad: Tensor, scale: Tensor, x: Tensor, slope: Tensor, shift: Tensor) -> Tensor:
    """Return ``scale * grad + slope * x + shift`` in the precision and memory layout of ``x``.

    Args:
        grad: Shape (N, C, H, W).
        scale: Shape (N, C), in the precision of statistics.
        x: Shape (N, C, H, W).
        slope: Shape (N, C), in the precision of ``x``: a float32 factor would turn a half-precision
            sum into a big float32 tensor.
        shift: As ``scale``.
    """
    return kernels_for(x).combine(like_layout(grad, x), scale, x, slope, shift)
