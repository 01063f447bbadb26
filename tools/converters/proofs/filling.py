"""Fill a network with weights that every machine draws alike, and settle its statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .drawn import numbers

Shapes = Mapping[str, Iterable[int]]
"""Shape of every entry of a state dictionary."""


def filled(shapes: Shapes) -> dict[str, Tensor]:
    """Return a state dictionary of these names and shapes."""
    return {name: torch.from_numpy(numbers(name, tuple(shape))) for name, shape in shapes.items()}


def shapes_of(state: Mapping[str, Tensor]) -> dict[str, list[int]]:
    """Return the shape of every entry of a state dictionary."""
    return {name: list(value.shape) for name, value in state.items()}


def images(count: int, height: int, width: int) -> Tensor:
    """Return normalised noise, (count, 3, height, width)."""
    noise = np.random.RandomState(0).standard_normal((count, 3, height, width))
    return torch.from_numpy(noise.astype(np.float32))


def calibrate(net: nn.Module, forward: Callable[[], Any]) -> None:
    """Give every batch norm of a network the statistics of its input, front to back.

    Args:
        net: The network, in evaluation mode.
        forward: Runs it.
    """

    def settle(layer: Any, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].detach()
        axes = [axis for axis in range(x.dim()) if axis != 1]
        layer.running_mean.copy_(x.mean(axes))
        layer.running_var.copy_(x.var(axes, unbiased=False))

    norms = [m for m in net.modules() if getattr(m, "running_mean", None) is not None]
    hooks = [norm.register_forward_pre_hook(settle) for norm in norms]
    with torch.no_grad():
        forward()
    for hook in hooks:
        hook.remove()
