"""Append a projection of a feature to it, as CLIP-ReID compares images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS


@MODELS.register_module()
class AppendedProjection(nn.Module):
    """``[x, P x]``: a feature, and its image in the space that CLIP shares with texts.

    CLIP-ReID normalises both parts by batch norms of their own and classifies both. A batch norm
    treats every channel alone, so :class:`mmreid_ext.models.heads.BNNeckHead` of the joint size
    computes the same; its classifier's score is the sum of CLIP-ReID's two.

    Args:
        in_channels: Size of the feature.
        projected_channels: Size of its projection. Defaults to 512.

    References:
        S. Li, L. Sun, Q. Li, "CLIP-ReID: Exploiting Vision-Language Model for Image
        Re-Identification without Concrete Text Labels", AAAI 2023,
        https://arxiv.org/abs/2211.13977.

    Example:
        >>> neck = dict(type='mmreid_ext.AppendedProjection', in_channels=768)  # 768 + 512
    """

    def __init__(self, in_channels: int, projected_channels: int = 512) -> None:
        super().__init__()
        self.projection = nn.Linear(in_channels, projected_channels, bias=False)

    def forward(self, inputs: Tensor | tuple[Tensor, ...]) -> Tensor:
        """Compute (N, in_channels + projected_channels) of features (N, in_channels).

        Args:
            inputs: Features, or a tuple of them of which the last is used, as backbones return.

        Raises:
            UserError: If the input is a map.
        """
        x = inputs[-1] if isinstance(inputs, (tuple, list)) else inputs
        if x.ndim != 2:
            raise UserError(
                f"AppendedProjection: inputs have shape {tuple(x.shape)}, but must be features "
                "(N, C); add out_type='cls_token' to a transformer."
            )
        return torch.cat([x, self.projection(x)], 1)
