"""Find the network inside its distributed wrapper."""

from __future__ import annotations

from typing import cast

from mmengine.model import BaseModel
from torch import nn

from mmreid_ext.models import ReIDModel


def network_of(model: nn.Module) -> BaseModel:
    """Return what a distributed wrapper holds, or a model that isn't wrapped."""
    return cast(BaseModel, getattr(model, "module", model))


def reid_network_of(model: nn.Module) -> ReIDModel:
    """Return :func:`network_of` a re-ID model; for callers that need one and were promised one."""
    return cast(ReIDModel, network_of(model))
