"""Pool, then reduce the feature by a linear layer with batch norm and ReLU."""

from __future__ import annotations

from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

from mmreid_ext.registry import MODELS

from .map_pooling import MapPooling


@MODELS.register_module()
class PooledLayer(MapPooling):
    """Average pooling, linear layer, batch norm, ReLU: torchreid's ``fc_dims``.

    Args:
        in_channels: Channels of the map.
        out_channels: Size of the feature. Defaults to 512.
        norm_cfg: The batch norm. Defaults to ``dict(type='mmreid_ext.SyncBN')``.

    Example:
        >>> neck = dict(type='mmreid_ext.PooledLayer', in_channels=2048)  # resnet50_fc512
    """

    def __init__(
        self, in_channels: int, out_channels: int = 512, norm_cfg: dict | None = None
    ) -> None:
        super().__init__()
        layer = nn.Linear(in_channels, out_channels)
        nn.init.normal_(layer.weight, std=0.01)  # as torchreid does
        nn.init.zeros_(layer.bias)
        norm = build_norm_layer(norm_cfg or dict(type="mmreid_ext.SyncBN"), out_channels)[1]
        self.fc = nn.Sequential(layer, norm, nn.ReLU(inplace=True))

    def pool(self, x: Tensor) -> Tensor:
        """Pool a map (N, in_channels, H, W) to features (N, out_channels)."""
        return self.fc(x.mean((2, 3)))
