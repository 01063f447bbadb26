"""Forward passes that use batch statistics and leave no trace in the running ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.instancenorm import _InstanceNorm


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
    tracking = [m for m in tracking if m not in instance_norms]
    for module in tracking:
        module.track_running_stats = False
    for module in instance_norms:
        module.momentum = 0.0
    try:
        yield
    finally:
        for module in tracking:
            module.track_running_stats = True
        for module, momentum in instance_norms.items():
            module.momentum = momentum
