"""Build what several backbones have in common."""

from __future__ import annotations

from typing import Any

from mmcv.cnn import build_norm_layer
from torch import nn


def norm(norm_cfg: dict[str, Any], channels: int) -> nn.Module:
    """Build the normalisation layer of a configuration."""
    return build_norm_layer(norm_cfg, channels)[1]


def reset_convolutions(model: nn.Module) -> None:
    """Draw all convolutions from He's normal distribution, by the size of their output.

    K. He et al., "Delving Deep into Rectifiers", ICCV 2015, https://arxiv.org/abs/1502.01852.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
