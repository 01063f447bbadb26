"""See several scales at once in a small re-ID backbone: OSNet.

Shapes: N images, C channels, H x W pixels.
"""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .osnet_blocks import (
    GATE_REDUCTION,
    MIDDLE_REDUCTION,
    ConvNorm,
    OSBlock,
    conv1x1,
    instance,
)
from .parts import norm, reset_convolutions

# Of the stem and the three stages, as published.
CHANNELS = (64, 256, 384, 512)
# Where the two blocks of the three stages normalise by instance; the stem does in both variants.
INSTANCE_NORMS = {
    "ibn": (("outside", "outside"), (None, None), (None, None)),
    "ain": (("inside", "inside"), (None, "inside"), ("inside", None)),
}
PLAIN = ((None, None),) * 3


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
