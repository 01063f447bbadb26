"""Build MobileNetV2 as re-ID programs have it: truncated widths, an expansion in every block.

Shapes: N images, C channels, H x W pixels.
"""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .parts import norm, reset_convolutions

# Table 2 of the paper: expansion, channels, blocks, stride of the first block.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
STEM_CHANNELS, LAST_CHANNELS = 32, 1280
STRIDED = max(place for place, stage in enumerate(STAGES) if stage[3] == 2)


class ConvNorm(nn.Module):
    """Convolution without bias, normalisation and, by default, ReLU6."""

    def __init__(self, conv: nn.Conv2d, norm_cfg: dict, relu: bool = True) -> None:
        super().__init__()
        self.conv = conv
        self.bn = norm(norm_cfg, conv.out_channels)
        self.relu = nn.ReLU6(inplace=True) if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and normalise (N, C, H, W)."""
        return self.relu(self.bn(self.conv(x)))


class InvertedResidual(nn.Module):
    """Expand, filter every channel, project; with a shortcut where the shape stays.

    The first block of the network expands too, by a factor of 1. Other implementations leave that
    convolution out.
    """

    def __init__(
        self, in_channels: int, out_channels: int, expansion: int, stride: int, norm_cfg: dict
    ) -> None:
        super().__init__()
        middle = in_channels * expansion
        self.shortcut = stride == 1 and in_channels == out_channels
        self.conv1 = ConvNorm(nn.Conv2d(in_channels, middle, 1, bias=False), norm_cfg)
        self.dwconv2 = ConvNorm(
            nn.Conv2d(middle, middle, 3, stride, 1, groups=middle, bias=False), norm_cfg
        )
        self.conv3 = ConvNorm(nn.Conv2d(middle, out_channels, 1, bias=False), norm_cfg, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        """Compute maps (N, out_channels, H / stride, W / stride) from maps (N, C, H, W)."""
        projected = self.conv3(self.dwconv2(self.conv1(x)))
        return x + projected if self.shortcut else projected


@MODELS.register_module()
class TruncatedMobileNetV2(BaseModule):
    """MobileNetV2 in the layout of torchreid and of the published MetaBIN networks.

    Channel counts are cut off to whole numbers (44, 22, 33, ... at width 1.4), where MMPretrain
    rounds them to multiples of eight (48, 24, 48, ...). ``tools/convert.py`` reads checkpoints of
    both programs.

    Args:
        width: Factor of all channel counts. The last layer has at least 1280. Defaults to 1.0.
        last_stride: Stride of the last stage that has one, 1 or 2. Defaults to 1.
        norm_cfg: Normalisation layers. Defaults to ``dict(type='mmreid_ext.SyncBN')``.
        init_cfg: See MMEngine's ``BaseModule``.

    Raises:
        ValueError: If ``width`` isn't positive, or ``last_stride`` is another number.

    References:
        M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
        https://arxiv.org/abs/1801.04381.

    Example:
        >>> backbone = dict(type='mmreid_ext.TruncatedMobileNetV2', width=1.4)  # 1792 channels
    """

    def __init__(
        self,
        width: float = 1.0,
        last_stride: int = 1,
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if last_stride not in (1, 2):
            raise UserError(f"TruncatedMobileNetV2: last_stride={last_stride} must be 1 or 2.")
        if int(STAGES[0][1] * width) < 1:
            raise UserError(f"TruncatedMobileNetV2: width={width} must be at least 1/16.")
        norm_cfg = norm_cfg or dict(type="mmreid_ext.SyncBN")
        channels = int(STEM_CHANNELS * width)
        self.layer1 = ConvNorm(nn.Conv2d(3, channels, 3, 2, 1, bias=False), norm_cfg)
        for place, (expansion, count, blocks, stride) in enumerate(STAGES):
            if place == STRIDED:
                stride = last_stride
            stage = nn.Sequential()
            for block in range(blocks):
                step, wanted = (stride if block == 0 else 1), int(count * width)
                stage.append(InvertedResidual(channels, wanted, expansion, step, norm_cfg))
                channels = wanted
            setattr(self, f"layer{place + 2}", stage)
        last = int(LAST_CHANNELS * max(width, 1.0))
        self.layer9 = ConvNorm(nn.Conv2d(channels, last, 1, bias=False), norm_cfg)
        reset_convolutions(self)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Compute the last map (N, C, H/16, W/16) of images (N, 3, H, W); H/32 at stride 2."""
        for number in range(1, len(STAGES) + 3):
            x = getattr(self, f"layer{number}")(x)
        return (x,)
