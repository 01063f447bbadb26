"""Compute batch statistics of all ranks from per-instance moments, and their running averages.

Shapes: N images, C channels, W ranks.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from mmreid_ext.distributed import gather_with_grad


class BatchStatistics(NamedTuple):
    """Moments of a global batch.

    Attributes:
        mean: Shape (C,).
        var: Biased variance, (C,).
        num_values: Values per channel, 0-d.
    """

    mean: Tensor
    var: Tensor
    num_values: Tensor


class RunningAverages(Protocol):
    """A layer that keeps running averages as ``torch.nn.BatchNorm2d`` does."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float | None


def combine_moments(mean: Tensor, var: Tensor, pixels: int) -> BatchStatistics:
    """Combine per-instance moments into those of the global batch (Chan et al., 1979).

    Subtracting the global mean before squaring keeps the result exact for means far from zero,
    where ``E[x^2] - E[x]^2`` cancels. Over ranks it costs one gather of 2C + 1 numbers, one more in
    backward.

    Args:
        mean: Per-instance means, (N, C).
        var: Per-instance biased variances, (N, C).
        pixels: H * W, the same for every instance of this rank.
    """
    local_mean = mean.mean(0)
    local_var = (var + (mean - local_mean).square()).mean(0)
    count = mean.new_full((1,), mean.shape[0] * pixels)
    packed = gather_with_grad(torch.cat([local_mean, local_var, count])[None])  # (W, 2C + 1)
    if packed.shape[0] == 1:
        return BatchStatistics(local_mean, local_var, count[0])
    means, variances, counts = packed.split([mean.shape[1], mean.shape[1], 1], dim=1)
    total = counts.sum()
    share = counts / total
    global_mean = (share * means).sum(0)
    global_var = (share * (variances + (means - global_mean).square())).sum(0)
    return BatchStatistics(global_mean, global_var, total)


@torch.no_grad()
def update_running_stats(layer: RunningAverages, batch: BatchStatistics) -> None:
    """Move ``running_mean`` and ``running_var`` (unbiased) as ``torch.nn.BatchNorm2d`` does.

    Args:
        layer: Its ``momentum`` None stands for the cumulative average.
        batch: Statistics of the newest batch.
    """
    layer.num_batches_tracked.add_(1)
    momentum = layer.momentum
    if momentum is None:
        momentum = 1.0 / float(layer.num_batches_tracked)
    unbiased = batch.var * (batch.num_values / (batch.num_values - 1).clamp(min=1))
    layer.running_mean.lerp_(batch.mean.to(layer.running_mean.dtype), momentum)
    layer.running_var.lerp_(unbiased.to(layer.running_var.dtype), momentum)
