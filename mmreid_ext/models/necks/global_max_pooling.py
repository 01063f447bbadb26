"""Global max pooling."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS


@MODELS.register_module()
class GlobalMaxPooling(nn.Module):
    """Largest activation of every channel, as XBM pools; used as MMPretrain's average pooling.

    Equal maxima share the gradient (PyTorch's max pooling gives it to the first of them); after a
    ReLU these are zeros, which pass none on.

    Example:
        >>> neck = dict(type='mmreid_ext.GlobalMaxPooling')
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
                f"GlobalMaxPooling needs maps (N, C, H, W), got {tuple(inputs.shape)}; a backbone "
                "that returns vectors needs no neck (neck=None)."
            )
        return torch.amax(inputs, dim=(2, 3))
