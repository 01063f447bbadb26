"""Forward passes that use batch statistics and leave no trace in the running ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def hold_running_stats(model: nn.Module) -> Iterator[None]:
    """Keep the running averages of every normalisation layer of ``model`` untouched inside the block.

    Layers in training mode still normalise by batch statistics, and gradients still flow through those: the
    "hold" mode of the meta-train and meta-test passes of MetaBIN. Layers in evaluation mode are unaffected.

    Args:
        model: Any module; PyTorch's and our batch norms and :class:`BatchInstanceNorm2d` are found in it.
    """
    tracking = [m for m in model.modules() if getattr(m, "track_running_stats", False)]
    for module in tracking:
        module.track_running_stats = False
    try:
        yield
    finally:
        for module in tracking:
            module.track_running_stats = True
