"""ResNet-IBN-a: instance norm for half of the channels of the first norm of early blocks."""

from __future__ import annotations

import torch
from mmcv.cnn import build_norm_layer
from mmpretrain.models import ResNet
from torch import Tensor, nn

from mmreid_ext.registry import MODELS

IBN_STAGES = 3


class InstanceBatchNorm2d(nn.Module):
    """Instance norm for the first half of the channels, batch norm for the rest.

    Args:
        channels: Number of channels C.
        norm_cfg: The batch norm.
    """

    def __init__(self, channels: int, norm_cfg: dict) -> None:
        super().__init__()
        self.half = channels // 2
        # The published checkpoints' names.
        self.IN = nn.InstanceNorm2d(self.half, affine=True)
        self.BN = build_norm_layer(norm_cfg, channels - self.half)[1]

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        instance, batch = x.split((self.half, x.shape[1] - self.half), dim=1)
        return torch.cat((self.IN(instance.contiguous()), self.BN(batch.contiguous())), dim=1)


@MODELS.register_module()
class ResNetIBN(ResNet):
    """MMPretrain's ResNet with IBN-a in its first three stages.

    The authors' ImageNet checkpoints load as they are.

    Args:
        depth: As in MMPretrain's ``ResNet``.
        **kwargs: Those of MMPretrain's ``ResNet``.

    References:
        X. Pan, P. Luo, J. Shi, X. Tang, "Two at Once: Enhancing Learning and Generalization
        Capacities via IBN-Net", ECCV 2018, https://arxiv.org/abs/1807.09441.
    """

    def __init__(self, depth: int, **kwargs) -> None:
        super().__init__(depth, **kwargs)
        for stage in self.res_layers[:IBN_STAGES]:
            for block in getattr(self, stage):
                channels = block.conv1.out_channels
                setattr(block, block.norm1_name, InstanceBatchNorm2d(channels, self.norm_cfg))
