"""Generalised-mean pooling in a form that can be exported."""

from __future__ import annotations

import mmpretrain.models.necks as host
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS


@MODELS.register_module()
class GeneralizedMeanPooling(host.GeneralizedMeanPooling):
    """MMPretrain's pooling ``mean(x ** p) ** (1 / p)`` with the whole map as its window.

    MMPretrain asks for a window of the map's size, which the ONNX exporter can't follow. Weights
    and arguments are MMPretrain's (``p``, ``eps``, ``clamp``, ``p_trainable``).

    Radenovic et al., "Fine-tuning CNN Image Retrieval with No Human Annotation", TPAMI 2018,
    https://arxiv.org/abs/1711.02512

    Example:
        >>> neck = dict(type='mmreid_ext.GeneralizedMeanPooling')
    """

    def forward(self, inputs: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        """Pool maps.

        Args:
            inputs: A map (N, C, H, W), or a tuple of them, one per stage.

        Returns:
            Features (N, C), or a tuple of them.
        """
        if isinstance(inputs, tuple):
            return tuple(map(self.forward, inputs))
        if inputs.ndim != 4:
            raise UserError(
                f"GeneralizedMeanPooling needs maps (N, C, H, W), got {tuple(inputs.shape)}; a "
                "backbone that returns vectors needs no neck (neck=None)."
            )
        x = inputs.clamp(min=self.eps) if self.clamp else inputs
        return x.pow(self.p).mean((2, 3)).pow(1.0 / self.p)
