"""Compute batch statistics of all ranks from per-instance moments, and their running averages.

Shapes: N images, C channels, W ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from mmreid_ext.distributed import all_reduce_sum, gather_with_grad


class InstanceMoments(NamedTuple):
    """Moments of the images of this rank.

    Attributes:
        mean: Per-instance means, (N, C).
        var: Per-instance biased variances, (N, C).
        pixels: H * W, the same for every instance of this rank.
    """

    mean: Tensor
    var: Tensor
    pixels: int


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
    where ``E[x^2] - E[x]^2`` cancels. Over ranks it costs one gather of 2C + 1 numbers, and one sum
    of 2C numbers in backward.

    Args: those of :class:`InstanceMoments`.
    """
    return combine_together([InstanceMoments(mean, var, pixels)])[0]


def combine_together(layers: Sequence[InstanceMoments]) -> list[BatchStatistics]:
    """Combine the moments of several layers that don't wait for one another.

    Over ranks all of them travel in one message, forward and backward.

    Args:
        layers: Moments of each layer's images, of one dtype and device.
    """
    alone = [_of_this_rank(layer) for layer in layers]
    packed = torch.cat([t.detach().reshape(-1) for batch in alone for t in batch])
    gathered = gather_with_grad(packed[None])  # (W, sum of 2C + 1)
    if gathered.shape[0] == 1:
        return alone
    moments = [t for layer in layers for t in (layer.mean, layer.var)]
    flat = _OfAllRanks.apply(gathered, [layer.pixels for layer in layers], *moments)
    return [BatchStatistics(*flat[i : i + 3]) for i in range(0, len(flat), 3)]


def _of_this_rank(layer: InstanceMoments) -> BatchStatistics:
    mean = layer.mean.mean(0)
    var = (layer.var + (layer.mean - mean).square()).mean(0)
    return BatchStatistics(mean, var, mean.new_full((), layer.mean.shape[0] * layer.pixels))


def _of_all_ranks(ranks: Tensor, channels: int) -> BatchStatistics:
    """Combine the statistics of each rank, (W, 2C + 1)."""
    means, variances, counts = ranks.split([channels, channels, 1], dim=1)
    total = counts.sum()
    share = counts / total
    mean = (share * means).sum(0)
    var = (share * (variances + (means - mean).square())).sum(0)
    return BatchStatistics(mean, var, total)


class _OfAllRanks(torch.autograd.Function):
    """Statistics of the global batch as functions of the moments of this rank's instances.

    The statistics are means over all values: of ``mean``, and of ``var + (mean - batch_mean)^2``,
    whose derivative by the batch mean is zero. So the gradients of both, summed over ranks, are all
    that a rank needs of the others. A gather's own derivative would sum W times as many numbers.
    """

    @staticmethod
    def forward(
        ctx: Any, gathered: Tensor, pixels: list[int], *moments: Tensor
    ) -> tuple[Tensor, ...]:
        means = moments[::2]
        parts = gathered.split([2 * mean.shape[1] + 1 for mean in means], dim=1)
        batches = [
            _of_all_ranks(part, mean.shape[1]) for part, mean in zip(parts, means, strict=True)
        ]
        weights = [count / batch.num_values for count, batch in zip(pixels, batches, strict=True)]
        ctx.save_for_backward(*means, *(batch.mean for batch in batches), *weights)
        ctx.mark_non_differentiable(*(batch.num_values for batch in batches))
        return tuple(t for batch in batches for t in batch)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        count = len(ctx.saved_tensors) // 3
        saved = [ctx.saved_tensors[i : i + count] for i in range(0, 3 * count, count)]
        own = [grad for i in range(count) for grad in grads[3 * i : 3 * i + 2]]
        summed = all_reduce_sum(torch.cat(own)).split([grad.numel() for grad in own])
        found: list[Tensor] = []
        for mean, batch_mean, weight, by_mean, by_var in zip(
            *saved, summed[::2], summed[1::2], strict=True
        ):
            grad_var = weight * by_var
            grad_mean = weight * by_mean + 2 * grad_var * (mean - batch_mean)
            found += grad_mean, grad_var.expand_as(mean)
        return None, None, *found


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
