"""Pool by the largest activation of every channel."""

from __future__ import annotations

import torch
from torch import Tensor

from mmreid_ext.registry import MODELS

from .map_pooling import MapPooling


@MODELS.register_module()
class GlobalMaxPooling(MapPooling):
    """Largest activation of every channel, as XBM pools; used as MMPretrain's average pooling.

    Equal maxima share the gradient (PyTorch's max pooling gives it to the first of them); after a
    ReLU these are zeros, which pass none on.

    Example:
        >>> neck = dict(type='mmreid_ext.GlobalMaxPooling')
    """

    def pool(self, x: Tensor) -> Tensor:
        """Pool a map (N, C, H, W) to features (N, C)."""
        return torch.amax(x, dim=(2, 3))
