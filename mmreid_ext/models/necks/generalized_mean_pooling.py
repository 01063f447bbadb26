"""Pool by the generalised mean, in a form that can be exported."""

from __future__ import annotations

import mmpretrain.models.necks as host
from torch import Tensor

from mmreid_ext.registry import MODELS

from .map_pooling import MapPooling


@MODELS.register_module()
class GeneralizedMeanPooling(MapPooling, host.GeneralizedMeanPooling):
    """MMPretrain's pooling ``mean(x ** p) ** (1 / p)`` with the whole map as its window.

    MMPretrain asks for a window of the map's size, which the ONNX exporter can't follow. Weights
    and arguments are MMPretrain's (``p``, ``eps``, ``clamp``, ``p_trainable``).

    Radenovic et al., "Fine-tuning CNN Image Retrieval with No Human Annotation", TPAMI 2018,
    https://arxiv.org/abs/1711.02512

    Example:
        >>> neck = dict(type='mmreid_ext.GeneralizedMeanPooling')
    """

    p: Tensor
    eps: float
    clamp: bool

    def pool(self, x: Tensor) -> Tensor:
        """Pool a map (N, C, H, W) to features (N, C)."""
        x = x.clamp(min=self.eps) if self.clamp else x
        return x.pow(self.p).mean((2, 3)).pow(1.0 / self.p)
