"""Normalise half of the channels of early blocks by instance: ResNet-IBN-a."""

from __future__ import annotations

from typing import Any

import torch
from mmpretrain.models import ResNet
from torch import Tensor, nn

from mmreid_ext.registry import MODELS

from .parts import norm

# The paper leaves the last stage alone: appearance varies in early layers, and late ones discern.
IBN_STAGES = 3


class InstanceBatchNorm2d(nn.Module):
    """Instance norm for the first half of the channels, batch norm for the rest.

    Args:
        channels: Number of channels C.
        norm_cfg: The batch norm.
    """

    def __init__(self, channels: int, norm_cfg: dict) -> None:
        super().__init__()
        self.num_instance = channels // 2
        # The published checkpoints' names.
        self.IN = nn.InstanceNorm2d(self.num_instance, affine=True)
        self.BN = norm(norm_cfg, channels - self.num_instance)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        instance, batch = x.split((self.num_instance, x.shape[1] - self.num_instance), dim=1)
        return torch.cat((self.IN(instance.contiguous()), self.BN(batch.contiguous())), dim=1)


@MODELS.register_module()
class ResNetIBN(ResNet):
    """MMPretrain's ResNet with IBN-a in its first three stages.

    The authors' ImageNet checkpoints load unchanged.

    Args:
        depth: As in MMPretrain's ``ResNet``.
        **kwargs: Those of MMPretrain's ``ResNet``.

    References:
        X. Pan, P. Luo, J. Shi, X. Tang, "Two at Once: Enhancing Learning and Generalization
        Capacities via IBN-Net", ECCV 2018, https://arxiv.org/abs/1807.09441.
    """

    def __init__(self, depth: int, **kwargs: Any) -> None:
        super().__init__(depth, **kwargs)
        for stage in self.res_layers[:IBN_STAGES]:
            for block in getattr(self, stage):
                channels = block.conv1.out_channels
                setattr(block, block.norm1_name, InstanceBatchNorm2d(channels, self.norm_cfg))
