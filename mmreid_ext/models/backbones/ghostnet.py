"""Make half of the maps by cheap operations: GhostNet, a light backbone.

Shapes: N images, C channels, H x W pixels.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .parts import norm, reset_convolutions

# The published bottlenecks by stage (table 1 of the paper, as the authors released it):
# kernel, expanded channels, output channels, squeeze-and-excitation, stride.
STAGES = (
    ((3, 16, 16, False, 1),),
    ((3, 48, 24, False, 2),),
    ((3, 72, 24, False, 1),),
    ((5, 72, 40, True, 2),),
    ((5, 120, 40, True, 1),),
    ((3, 240, 80, False, 2),),
    (
        (3, 200, 80, False, 1),
        (3, 184, 80, False, 1),
        (3, 184, 80, False, 1),
        (3, 480, 112, True, 1),
        (3, 672, 112, True, 1),
    ),
    ((5, 672, 160, True, 2),),
    (
        (5, 960, 160, False, 1),
        (5, 960, 160, True, 1),
        (5, 960, 160, False, 1),
        (5, 960, 160, True, 1),
    ),
)
STEM_CHANNELS, LAST_CHANNELS = 16, 960


def rounded(channels: float) -> int:
    """Return the nearest multiple of 4, at least 4, and never less than 90 % of ``channels``.

    The rule is MobileNet's, with its 90 % and GhostNet's 4: published weights have such sizes.
    """
    multiple = max(4, int(channels + 2) // 4 * 4)
    return multiple + 4 if multiple < 0.9 * channels else multiple


def depthwise(channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """Build a convolution with one filter per channel, which keeps the size at stride 1."""
    padding = kernel // 2
    return nn.Conv2d(channels, channels, kernel, stride, padding, groups=channels, bias=False)


def pointwise(in_channels: int, out_channels: int) -> nn.Conv2d:
    """Build a 1 x 1 convolution."""
    return nn.Conv2d(in_channels, out_channels, 1, bias=False)


class GhostModule(nn.Module):
    """Half of the output by a pointwise convolution, its "ghosts" by 3 x 3 filters of those maps.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output; of an odd number the last ghost is dropped.
        norm_cfg: Normalisation layers.
        relu: Whether both halves end in a ReLU.
    """

    def __init__(self, in_channels: int, out_channels: int, norm_cfg: dict, relu: bool) -> None:
        super().__init__()
        self.out_channels = out_channels
        half = math.ceil(out_channels / 2)
        self.primary_conv = nn.Sequential(
            pointwise(in_channels, half), norm(norm_cfg, half), _activation(relu)
        )
        self.cheap_operation = nn.Sequential(
            depthwise(half, 3), norm(norm_cfg, half), _activation(relu)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Compute maps (N, out_channels, H, W) from maps (N, in_channels, H, W)."""
        primary = self.primary_conv(x)
        return torch.cat([primary, self.cheap_operation(primary)], 1)[:, : self.out_channels]


def _activation(relu: bool) -> nn.Module:
    return nn.ReLU(inplace=True) if relu else nn.Identity()


class SqueezeExcite(nn.Module):
    """Weigh the channels by the map's mean: a quarter as many hidden ones, a hard sigmoid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = rounded(channels / 4)
        self.conv_reduce = nn.Conv2d(channels, hidden, 1)
        self.conv_expand = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels of (N, C, H, W)."""
        hidden = F.relu(self.conv_reduce(x.mean(dim=(2, 3), keepdim=True)))
        return x * F.hardsigmoid(self.conv_expand(hidden))


class GhostBottleneck(nn.Module):
    """Residual block: a ghost module expands, another one projects; a stride lies between them."""

    def __init__(
        self,
        in_channels: int,
        middle: int,
        out_channels: int,
        kernel: int,
        stride: int,
        with_se: bool,
        norm_cfg: dict,
    ) -> None:
        super().__init__()
        self.ghost1 = GhostModule(in_channels, middle, norm_cfg, relu=True)
        self.conv_dw = depthwise(middle, kernel, stride) if stride > 1 else nn.Identity()
        self.bn_dw = norm(norm_cfg, middle) if stride > 1 else nn.Identity()
        self.se = SqueezeExcite(middle) if with_se else nn.Identity()
        self.ghost2 = GhostModule(middle, out_channels, norm_cfg, relu=False)
        self.shortcut = nn.Sequential()
        if in_channels != out_channels or stride > 1:
            self.shortcut = nn.Sequential(
                depthwise(in_channels, kernel, stride),
                norm(norm_cfg, in_channels),
                pointwise(in_channels, out_channels),
                norm(norm_cfg, out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Compute maps (N, out_channels, H / stride, W / stride) from (N, in_channels, H, W)."""
        y = self.se(self.bn_dw(self.conv_dw(self.ghost1(x))))
        return self.ghost2(y) + self.shortcut(x)


@MODELS.register_module()
class GhostNet(BaseModule):
    """GhostNet up to its last map: 2.7 million parameters at full width, 960 channels.

    The published network adds a 1280-d layer after pooling for its ImageNet classifier, which an
    embedding head replaces. Parameter names are those of the authors' release and of timm, so their
    ImageNet weights load unchanged (``conv_head`` and ``classifier`` are left over).

    Args:
        width: Factor of all channel counts. Defaults to 1.0.
        norm_cfg: Normalisation layers; ``dict(type='mmreid_ext.BIN')`` makes it a batch-instance
            backbone. Defaults to ``dict(type='mmreid_ext.SyncBN')``.
        init_cfg: See MMEngine's ``BaseModule``.

    Attributes:
        out_channels: Channels of the returned map.

    Raises:
        ValueError: If ``width`` isn't positive.

    References:
        K. Han, Y. Wang, Q. Tian, J. Guo, C. Xu, C. Xu, "GhostNet: More Features from Cheap
        Operations", CVPR 2020, https://arxiv.org/abs/1911.11907.

    Example:
        >>> model = dict(
        ...     type='mmreid_ext.ReIDModel', backbone=dict(type='mmreid_ext.GhostNet'),
        ...     head=dict(type='mmreid_ext.EmbeddingHead', in_channels=960,
        ...               losses=dict(pair=dict(type='mmreid_ext.EMLLoss'))))
    """

    def __init__(
        self, width: float = 1.0, norm_cfg: dict | None = None, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        if not width > 0:
            raise UserError(f"GhostNet: width={width} must be positive.")
        norm_cfg = norm_cfg or dict(type="mmreid_ext.SyncBN")
        channels = rounded(STEM_CHANNELS * width)
        self.conv_stem = nn.Conv2d(3, channels, 3, stride=2, padding=1, bias=False)
        self.bn1 = norm(norm_cfg, channels)
        stages: list[nn.Module] = []
        for blocks in STAGES:
            stage = []
            for kernel, middle, out, with_se, stride in blocks:
                middle, out = rounded(middle * width), rounded(out * width)
                stage.append(
                    GhostBottleneck(channels, middle, out, kernel, stride, with_se, norm_cfg)
                )
                channels = out
            stages.append(nn.Sequential(*stage))
        self.out_channels = rounded(LAST_CHANNELS * width)
        stages.append(nn.Sequential(_LastConv(channels, self.out_channels, norm_cfg)))
        self.blocks = nn.Sequential(*stages)
        reset_convolutions(self)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Compute the last map (N, out_channels, H/32, W/32) of images (N, 3, H, W)."""
        return (self.blocks(F.relu(self.bn1(self.conv_stem(x)))),)


class _LastConv(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, norm_cfg: dict) -> None:
        super().__init__()
        self.conv = pointwise(in_channels, out_channels)
        self.bn1 = norm(norm_cfg, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn1(self.conv(x)))
