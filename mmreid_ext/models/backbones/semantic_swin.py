"""Steer a Swin transformer by one number, as SOLIDER does.

Shapes: N images, L places of a map, C channels.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmpretrain.models import SwinTransformer
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS


@MODELS.register_module()
class SemanticSwin(SwinTransformer):
    """MMPretrain's Swin transformer with SOLIDER's semantic controller at a fixed weight.

    After each stage but the last, ``x * softplus(A [w, 1 - w] + a) + (B [w, 1 - w] + b)``, with the
    semantic weight w: a scale and a shift of every channel. They are constants once w is fixed.

    SOLIDER's code has a controller behind the last stage, too. It doesn't reach the output, and its
    weights are left out here.

    Args:
        semantic_weight: w in [0, 1]: 1 for features of semantics (parsing), 0 for features of
            appearance. SOLIDER's re-ID configurations test with 0.2. None: no controller.
            Defaults to 0.2.
        **kwargs: Those of MMPretrain's ``SwinTransformer``.

    Raises:
        UserError: If the weight lies outside, or ``out_after_downsample`` is set.

    References:
        W. Chen et al., "Beyond Appearance: a Semantic Controllable Self-Supervised Learning
        Framework for Human-Centric Visual Tasks", CVPR 2023, https://arxiv.org/abs/2303.17602.
    """

    def __init__(self, *, semantic_weight: float | None = 0.2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.out_after_downsample or self.use_abs_pos_embed:
            raise UserError(
                "SemanticSwin: out_after_downsample and use_abs_pos_embed must be False; "
                "use mmpretrain.SwinTransformer with them."
            )
        if semantic_weight is not None and not 0 <= semantic_weight <= 1:
            raise UserError(
                f"SemanticSwin: semantic_weight={semantic_weight}, must lie in [0, 1], "
                "or None for a network without controller."
            )
        self.semantic_weight = semantic_weight
        if semantic_weight is not None:
            sizes = self.num_features[1:]
            self.semantic_embed_w = nn.ModuleList(nn.Linear(2, size) for size in sizes)
            self.semantic_embed_b = nn.ModuleList(nn.Linear(2, size) for size in sizes)
            for layer in (*self.semantic_embed_w, *self.semantic_embed_b):
                layer.requires_grad_(False)  # as in SOLIDER's fine-tuning

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the maps (N, C, H, W) of the stages in ``out_indices`` of images (N, 3, H, W)."""
        x, shape = self.patch_embed(x)
        x = self.drop_after_pos(x)
        maps = []
        for place, stage in enumerate(self.stages):
            x, shape = stage(x, shape, do_downsample=False)
            if place in self.out_indices:
                normalised = getattr(self, f"norm{place}")(x)
                maps.append(normalised.unflatten(1, tuple(shape)).permute(0, 3, 1, 2).contiguous())
            if stage.downsample is not None:
                x, shape = stage.downsample(x, shape)
                x = self._steer(x, place)
        return tuple(maps)

    def _steer(self, x: Tensor, place: int) -> Tensor:
        """Scale and shift the channels of (N, L, C) behind a stage."""
        weight = self.semantic_weight
        if weight is None:
            return x
        given = x.new_tensor([weight, 1 - weight])
        scale = F.softplus(self.semantic_embed_w[place](given))
        return torch.addcmul(self.semantic_embed_b[place](given), x, scale)
