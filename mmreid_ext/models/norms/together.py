"""Normalise by the batch of all ranks; layers that don't wait for one another share a message.

Shapes: N images, C channels, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol, cast

from torch import Tensor, nn

from mmreid_ext.distributed import is_distributed

from .batch_moments import (
    BatchStatistics,
    InstanceMoments,
    RunningAverages,
    combine_moments,
    combine_together,
    update_running_stats,
)
from .instance_affine import instance_affine, joint_instance_affine


class BatchStep(NamedTuple):
    """What a layer does with a batch, once its statistics are known.

    Attributes:
        maps: Its input, (N, C, H, W).
        mix: Called with batch mean and variance (C,), instance means and variances (N, C) and
            ``params``; returns scale and centre (N, C).
        params: Tensors (C,) that gradients shall reach.
    """

    maps: Tensor
    mix: Callable[..., tuple[Tensor, Tensor]]
    params: list[Tensor]

    @property
    def pixels(self) -> int:
        """H * W."""
        return self.maps.shape[2] * self.maps.shape[3]


class NormalizesByBatch(RunningAverages, Protocol):
    """A layer of this package that, in training, normalises by the batch of all ranks."""

    track_running_stats: bool

    def batch_step(self, x: Tensor) -> BatchStep:
        """Check an input and return what to do with it."""


def normalize_by_batch(layer: NormalizesByBatch, x: Tensor) -> Tensor:
    """Normalise ``x`` as ``layer`` does in training."""
    step = layer.batch_step(x)
    coefficients = partial(_with_statistics, step.mix, step.pixels)
    y, *statistics = instance_affine(step.maps, coefficients, *step.params)
    if layer.track_running_stats:
        update_running_stats(layer, BatchStatistics(*statistics))
    return y


def _with_statistics(
    mix: Callable[..., tuple[Tensor, Tensor]],
    pixels: int,
    mean: Tensor,
    var: Tensor,
    *params: Tensor,
) -> tuple[Tensor, ...]:
    """Return scale and centre (N, C), then the batch statistics that they stand on."""
    batch = combine_moments(mean, var, pixels)
    return *mix(batch.mean, batch.var, mean, var, *params), *batch


def share_messages(*layers: nn.Module) -> bool:
    """Whether :func:`normalize_together` saves messages for these layers."""
    return is_distributed() and all(
        layer.training and hasattr(layer, "batch_step") for layer in layers
    )


def normalize_together(layers: Sequence[nn.Module], inputs: Sequence[Tensor]) -> list[Tensor]:
    """Normalise the inputs of layers that don't wait for one another, such as parallel branches.

    On several ranks the batch statistics of all of them travel in one message, and so do their
    gradients. Otherwise each layer is just called. Hooks of the layers don't run in the first case.

    Args:
        layers: Normalisation layers; any others are called.
        inputs: One of (N, C, H, W) for each layer.
    """
    if not share_messages(*layers) or len({x.dtype for x in inputs}) > 1:
        return [layer(x) for layer, x in zip(layers, inputs, strict=True)]
    ours = cast(Sequence[NormalizesByBatch], layers)
    steps = [layer.batch_step(x) for layer, x in zip(ours, inputs, strict=True)]
    results = joint_instance_affine(
        [step.maps for step in steps],
        partial(_with_joint_statistics, steps),
        [step.params for step in steps],
    )
    for layer, (_, *statistics) in zip(ours, results, strict=True):
        if layer.track_running_stats:
            update_running_stats(layer, BatchStatistics(*statistics))
    return [result[0] for result in results]


def _with_joint_statistics(
    steps: Sequence[BatchStep], moments: list[tuple[Tensor, Tensor]], params: list[list[Tensor]]
) -> list[tuple[Tensor, ...]]:
    batches = combine_together(
        [InstanceMoments(*pair, step.pixels) for pair, step in zip(moments, steps, strict=True)]
    )
    return [
        (*step.mix(batch.mean, batch.var, *pair, *group), *batch)
        for step, batch, pair, group in zip(steps, batches, moments, params, strict=True)
    ]
