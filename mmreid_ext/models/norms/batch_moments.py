"""Batch statistics of all ranks from per-instance moments, and their running averages."""

from __future__ import annotations

import torch
from torch import Tensor

from mmreid_ext.distributed import gather_with_grad


def combine_moments(mean: Tensor, var: Tensor, pixels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Combine per-instance moments into those of the global batch (Chan et al., 1979).

    Subtracting the global mean before squaring keeps the result exact for means far from zero,
    where ``E[x^2] - E[x]^2`` cancels. Over ranks it costs one gather of 2C + 1 numbers, one more in
    backward.

    Args:
        mean: Per-instance means, (N, C).
        var: Per-instance biased variances, (N, C).
        pixels: H * W, the same for every instance of this rank.

    Returns:
        Mean (C,), biased variance (C,) and the number of values per channel (0-d tensor).
    """
    local_mean = mean.mean(0)
    local_var = (var + (mean - local_mean).square()).mean(0)
    count = mean.new_full((1,), mean.shape[0] * pixels)
    packed = gather_with_grad(torch.cat([local_mean, local_var, count])[None])  # (W, 2C + 1)
    if packed.shape[0] == 1:
        return local_mean, local_var, count[0]
    means, variances, counts = packed.split([mean.shape[1], mean.shape[1], 1], dim=1)
    total = counts.sum()
    share = counts / total
    global_mean = (share * means).sum(0)
    global_var = (share * (variances + (means - global_mean).square())).sum(0)
    return global_mean, global_var, total


@torch.no_grad()
def update_running_stats(module: torch.nn.Module, mean: Tensor, var: Tensor, count: Tensor) -> None:
    """Move ``running_mean`` and ``running_var`` (unbiased) as ``torch.nn.BatchNorm2d`` does.

    Args:
        module: Owner of ``running_mean``, ``running_var``, ``num_batches_tracked`` and ``momentum``
            (None: cumulative average).
        mean: Batch mean (C,).
        var: Biased batch variance (C,).
        count: Values per channel (0-d).
    """
    module.num_batches_tracked.add_(1)
    momentum = module.momentum
    if momentum is None:
        momentum = 1.0 / float(module.num_batches_tracked)
    unbiased = var * (count / (count - 1).clamp(min=1))
    module.running_mean.lerp_(mean.to(module.running_mean.dtype), momentum)
    module.running_var.lerp_(unbiased.to(module.running_var.dtype), momentum)
