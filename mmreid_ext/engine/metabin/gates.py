"""Handle the gates of a model: which may move, another value for a pass, the clamp."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mmreid_ext.errors import DivergenceError, UserError
from mmreid_ext.models import ReIDModel
from mmreid_ext.models.norms import BatchInstanceNorm2d


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """No parameter of ``module`` requires a gradient inside the block."""
    trainable = [p for p in module.parameters() if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)


@contextmanager
def stepped_gates(layers: Sequence[BatchInstanceNorm2d], gates: Sequence[Tensor]) -> Iterator[None]:
    """Let each layer use the given gate instead of its parameter inside the block."""
    for layer, gate in zip(layers, gates, strict=True):
        layer.stepped_gate = gate
    try:
        yield
    finally:
        for layer in layers:
            layer.stepped_gate = None


def clamp_gate(raw: Tensor, straight_through: bool) -> Tensor:
    """Clamp to [0, 1]; the gradient is 1 everywhere, or only strictly inside the interval."""
    clamped = raw.detach().clamp(0, 1)
    if straight_through:
        return raw + (clamped - raw.detach())
    inside = (raw.detach() > 0) & (raw.detach() < 1)
    return torch.where(inside, raw, clamped)


def movable_layers(model: ReIDModel) -> list[BatchInstanceNorm2d]:
    """Batch-instance norms outside frozen stages: a frozen one has no trained affine parameter.

    The flag of the gate itself tells nothing: gates are never ordinary weights here.
    """
    return [
        layer
        for layer in model.bin_layers().values()
        if any(p.requires_grad for p in (layer.weight, layer.bias, layer.in_weight, layer.in_bias))
    ]


def require_movable_layers(model: ReIDModel) -> list[BatchInstanceNorm2d]:
    """Return :func:`movable_layers`.

    Raises:
        UserError: If there are none.
    """
    layers = movable_layers(model)
    if not layers:
        raise UserError(
            "The model has no batch-instance norm (or all are frozen): build it with "
            "norm_cfg=dict(type='mmreid_ext.BIN')."
        )
    return layers


def stop_for_gate(model: ReIDModel, number: int, iteration: int, advice: str) -> None:
    """Raise DivergenceError for a gate whose gradient isn't finite, and would stay so.

    Args:
        model: The network without its distributed wrapper.
        number: Which of its movable layers.
        iteration: The 0-based iteration.
        advice: What the user can do.
    """
    layer = movable_layers(model)[number]
    name = next(name for name, one in model.bin_layers().items() if one is layer)
    raise DivergenceError(
        f"The gradient of {name}.gate is not finite at iteration {iteration + 1}; the gates were "
        f"left as they were. {advice}"
    )
