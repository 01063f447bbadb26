"""See several scales at once in a small re-ID backbone: OSNet.

Shapes: N images, C channels, H x W pixels.
"""

from __future__ import annotations

from functools import reduce

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.models.norms import normalize_together, share_messages
from mmreid_ext.registry import MODELS

from .parts import norm, reset_convolutions

# Of the stem and the three stages, as published.
CHANNELS = (64, 256, 384, 512)
# Hidden channels of a gate, a sixteenth of a block's middle ones, which are a quarter of its
# output. So a stage needs 4 * 16 channels for a gate to have one.
GATE_REDUCTION = 16
MIDDLE_REDUCTION = 4

# Where the two blocks of the three stages normalise by instance; the stem does in both variants.
INSTANCE_NORMS = {
    "ibn": (("outside", "outside"), (None, None), (None, None)),
    "ain": (("inside", "inside"), (None, "inside"), ("inside", None)),
}
PLAIN = ((None, None),) * 3


class ConvNorm(nn.Module):
    """Convolution, normalisation and, by default, ReLU."""

    def __init__(self, conv: nn.Conv2d, norm_cfg: dict | None, relu: bool = True) -> None:
        super().__init__()
        self.conv = conv
        self.bn = nn.Identity() if norm_cfg is None else norm(norm_cfg, conv.out_channels)
        self.relu = nn.ReLU(inplace=True) if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and normalise (N, C, H, W)."""
        return self.relu(self.bn(self.conv(x)))


def conv1x1(
    in_channels: int, out_channels: int, norm_cfg: dict | None, relu: bool = True
) -> ConvNorm:
    """Build a pointwise convolution, with normalisation if that is given."""
    return ConvNorm(nn.Conv2d(in_channels, out_channels, 1, bias=False), norm_cfg, relu)


class LightConv3x3(nn.Module):
    """Pointwise, then depthwise 3 x 3 convolution; normalisation and ReLU at the end only."""

    def __init__(self, channels: int, norm_cfg: dict) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.bn = norm(norm_cfg, channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Compute maps (N, C, H, W) of the same shape."""
        return self.relu(self.bn(self.conv2(self.conv1(x))))


class ChannelGate(nn.Module):
    """Weigh the channels by factors in (0, 1), from the map's mean through two layers."""

    def __init__(self, channels: int, reduction: int = GATE_REDUCTION) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the channels of (N, C, H, W)."""
        squeezed = x.mean(dim=(2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))


def instance(channels: int) -> nn.InstanceNorm2d:
    """Build an instance norm with weights."""
    return nn.InstanceNorm2d(channels, affine=True)


class OSBlock(nn.Module):
    """Residual block with four streams of 1 to 4 light convolutions, summed through one gate.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        norm_cfg: Normalisation layers.
        instance_norm: ``'outside'``: of the sum with the shortcut (OSNet-IBN). ``'inside'``: in
            place of the last normalisation before that sum (OSNet-AIN). None: neither.
    """

    conv2b: nn.Sequential
    conv2c: nn.Sequential
    conv2d: nn.Sequential

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        norm_cfg: dict,
        instance_norm: str | None = None,
    ) -> None:
        super().__init__()
        middle = out_channels // MIDDLE_REDUCTION
        self.conv1 = conv1x1(in_channels, middle, norm_cfg)
        self.conv2a = LightConv3x3(middle, norm_cfg)
        for name, depth in (("conv2b", 2), ("conv2c", 3), ("conv2d", 4)):
            stream = nn.Sequential(*(LightConv3x3(middle, norm_cfg) for _ in range(depth)))
            setattr(self, name, stream)
        self.gate = ChannelGate(middle)
        self.inside = instance_norm == "inside"
        self.conv3 = conv1x1(middle, out_channels, None if self.inside else norm_cfg, relu=False)
        # The published checkpoints' name.
        self.IN = instance(out_channels) if instance_norm else nn.Identity()
        changes = in_channels != out_channels
        self.downsample = (
            conv1x1(in_channels, out_channels, norm_cfg, relu=False) if changes else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Compute maps (N, out_channels, H, W) from maps (N, in_channels, H, W)."""
        reduced = self.conv1(x)
        if share_messages(self.conv2a.bn):
            return self._sum_branches(x, self._mix_together(reduced))
        mixed = self.gate(self.conv2a(reduced))
        for stream in (self.conv2b, self.conv2c, self.conv2d):
            mixed = mixed + self.gate(stream(reduced))
        if self.inside:
            return torch.relu(self.IN(self.conv3(mixed)) + self.downsample(x))
        return torch.relu(self.IN(self.conv3(mixed) + self.downsample(x)))

    def _mix_together(self, reduced: Tensor) -> Tensor:
        """Compute the streams side by side: norms of one depth share a message to other ranks."""
        streams = [[self.conv2a], [*self.conv2b], [*self.conv2c], [*self.conv2d]]
        maps = [reduced] * len(streams)
        for depth in range(len(streams[-1])):
            active = [i for i, stream in enumerate(streams) if depth < len(stream)]
            layers = [streams[i][depth] for i in active]
            convolved = [
                layer.conv2(layer.conv1(maps[i])) for i, layer in zip(active, layers, strict=True)
            ]
            norms = [layer.bn for layer in layers]
            for i, layer, y in zip(
                active, layers, normalize_together(norms, convolved), strict=True
            ):
                maps[i] = layer.relu(y)
        return reduce(torch.add, map(self.gate, maps))

    def _sum_branches(self, x: Tensor, mixed: Tensor) -> Tensor:
        if isinstance(self.downsample, nn.Identity):
            return torch.relu(self.conv3(mixed) + x)
        branches = (self.conv3, self.downsample)
        convolved = [branch.conv(y) for branch, y in zip(branches, (mixed, x), strict=True)]
        a, b = normalize_together([branch.bn for branch in branches], convolved)
        return torch.relu(a + b)


@MODELS.register_module()
class OSNet(BaseModule):
    """Omni-scale network, 2.2 million parameters at full width.

    Parameter names are those of torchreid, so its checkpoints (ImageNet and re-ID) load
    unchanged.

    Args:
        width: Factor of all channel counts, such as 1.0, 0.75, 0.5 or 0.25. Defaults to 1.0.
        feature_dim: Size of the linear layer (with batch norm and ReLU) after average pooling, the
            published feature; 0 returns the last map instead, for a pooling neck. Defaults to 512.
        norm_cfg: Normalisation layers. Defaults to ``dict(type='mmreid_ext.SyncBN')``.
        init_cfg: See MMEngine's ``BaseModule``.
        instance_norms: ``'ibn'`` or ``'ain'``: instance norms where OSNet-IBN and OSNet-AIN have
            them. Checkpoints of the latter have other names, which ``tools/convert.py`` translates.
            Defaults to None.

    Raises:
        ValueError: If ``width`` leaves fewer than 64 channels in the second stage, or
            ``instance_norms`` is another word.

    References:
        K. Zhou, Y. Yang, A. Cavallaro, T. Xiang, "Omni-Scale Feature Learning for Person
        Re-Identification", ICCV 2019, https://arxiv.org/abs/1905.00953; "Learning Generalisable
        Omni-Scale Representations for Person Re-Identification", TPAMI 2021,
        https://arxiv.org/abs/1910.06827.

    Example:
        >>> model = dict(
        ...     type='mmreid_ext.ReIDModel', neck=None,
        ...     backbone=dict(type='mmreid_ext.OSNet', width=0.25),
        ...     head=dict(type='mmreid_ext.BNNeckHead', num_classes=751, in_channels=512,
        ...               losses=dict(ce=dict(type='mmreid_ext.LabelSmoothingLoss'))))
    """

    def __init__(
        self,
        width: float = 1.0,
        feature_dim: int = 512,
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
        instance_norms: str | None = None,
    ) -> None:
        super().__init__(init_cfg)
        channels = [int(width * count) for count in CHANNELS]
        least = GATE_REDUCTION * MIDDLE_REDUCTION
        if channels[1] < least:
            raise UserError(f"OSNet: width={width} must be at least {least / CHANNELS[1]}.")
        if instance_norms not in (None, *INSTANCE_NORMS):
            raise UserError(f"OSNet: instance_norms={instance_norms!r} must be 'ibn' or 'ain'.")
        places = INSTANCE_NORMS.get(instance_norms or "", PLAIN)
        norm_cfg = norm_cfg or dict(type="mmreid_ext.SyncBN")
        stem = nn.Conv2d(3, channels[0], 7, stride=2, padding=3, bias=False)
        self.conv1 = ConvNorm(stem, norm_cfg)
        if instance_norms:
            self.conv1.bn = instance(channels[0])
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2 = self._stage(channels[0], channels[1], norm_cfg, places[0], shrink=True)
        self.conv3 = self._stage(channels[1], channels[2], norm_cfg, places[1], shrink=True)
        self.conv4 = self._stage(channels[2], channels[3], norm_cfg, places[2], shrink=False)
        self.conv5 = conv1x1(channels[3], channels[3], norm_cfg)
        self.fc = None
        if feature_dim:
            self.fc = nn.Sequential(
                nn.Linear(channels[3], feature_dim),
                norm(dict(type="mmreid_ext.SyncBN"), feature_dim),
                nn.ReLU(inplace=True),
            )
        self._reset_parameters()

    @staticmethod
    def _stage(
        in_channels: int,
        out_channels: int,
        norm_cfg: dict,
        instance_norms: tuple[str | None, str | None],
        shrink: bool,
    ) -> nn.Sequential:
        first, second = instance_norms
        blocks: list[nn.Module] = [
            OSBlock(in_channels, out_channels, norm_cfg, first),
            OSBlock(out_channels, out_channels, norm_cfg, second),
        ]
        if shrink:
            transition = conv1x1(out_channels, out_channels, norm_cfg)
            blocks.append(nn.Sequential(transition, nn.AvgPool2d(2, stride=2)))
        return nn.Sequential(*blocks)

    def _reset_parameters(self) -> None:
        reset_convolutions(self)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)  # as torchreid does
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Compute features (N, feature_dim) or the last map (N, C, H/16, W/16) of images."""
        x = self.maxpool(self.conv1(x))
        x = self.conv5(self.conv4(self.conv3(self.conv2(x))))
        return (x if self.fc is None else self.fc(x.mean(dim=(2, 3))),)
