"""Build the blocks of OSNet: light convolutions, a gate, four streams.

Shapes: N images, C channels, H x W pixels.
"""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor, nn

from mmreid_ext.models.norms import normalize_together, share_messages

from .parts import norm

# Hidden channels of a gate, a sixteenth of a block's middle ones, which are a quarter of its
# output. So a stage needs 4 * 16 channels for a gate to have one.
GATE_REDUCTION = 16
MIDDLE_REDUCTION = 4


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
            main, shortcut = self._branches_together(x, self._mix_together(reduced))
        else:
            mixed = self.gate(self.conv2a(reduced))
            for stream in (self.conv2b, self.conv2c, self.conv2d):
                mixed = mixed + self.gate(stream(reduced))
            main, shortcut = self.conv3(mixed), self.downsample(x)
        if self.inside:
            return torch.relu(self.IN(main) + shortcut)
        return torch.relu(self.IN(main + shortcut))

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

    def _branches_together(self, x: Tensor, mixed: Tensor) -> tuple[Tensor, Tensor]:
        if isinstance(self.downsample, nn.Identity):
            return self.conv3(mixed), x
        branches = (self.conv3, self.downsample)
        convolved = [branch.conv(y) for branch, y in zip(branches, (mixed, x), strict=True)]
        main, shortcut = normalize_together([branch.bn for branch in branches], convolved)
        return main, shortcut
