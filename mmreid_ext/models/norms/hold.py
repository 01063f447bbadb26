"""Hold running averages while forward passes use batch statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from torch import nn
from torch.nn.modules.instancenorm import _InstanceNorm


class _Tracking(Protocol):
    track_running_stats: bool


@contextmanager
def hold_running_stats(model: nn.Module) -> Iterator[None]:
    """Keep the running averages of all normalisation layers untouched inside the block.

    Layers in training mode still normalise by batch statistics, and gradients still flow through
    those: the "hold" mode of the meta-train and meta-test passes of MetaBIN. Layers in evaluation
    mode are unaffected.

    Args:
        model: Any module; PyTorch's batch and instance norms, our batch norm and
            :class:`BatchInstanceNorm2d` are found in it.
    """
    tracking = [m for m in model.modules() if getattr(m, "track_running_stats", False)]
    # An instance norm in evaluation mode takes its flag for "normalise by running averages", and
    # in training mode moves the averages in any case: only a momentum of 0 holds them.
    instance_norms = {m: m.momentum for m in tracking if isinstance(m, _InstanceNorm)}
    others = [cast(_Tracking, m) for m in tracking if m not in instance_norms]
    for layer in others:
        layer.track_running_stats = False
    for norm in instance_norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for layer in others:
            layer.track_running_stats = True
        for norm, momentum in instance_norms.items():
            norm.momentum = momentum
