"""Push every similarity the harder, the farther it is from its optimum: circle loss."""

from __future__ import annotations

import torch
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .batch_loss import BatchLoss
from .pairwise import log1p_exp, masked_logsumexp, mean_where, pair_masks, unit_rows


@MODELS.register_module()
class CircleLoss(BatchLoss):
    r"""Pairwise circle loss: every similarity is pushed the harder, the farther from its optimum.

    On cosine similarities, per anchor with positives p (not itself) and negatives n,

    .. math::
        L = \mathrm{mean}_i \log\Big(1 + \sum_n e^{\gamma [s_n + m]_+ (s_n - m)}
            \sum_p e^{-\gamma [1 + m - s_p]_+ (s_p - 1 + m)}\Big)

    where no gradient flows through the weights :math:`[\cdot]_+`, as in the paper. Anchors without
    positive or without negative are left out of the mean; without any, 0.

    Args:
        margin: Relaxation :math:`m`. Defaults to 0.25.
        scale: :math:`\gamma > 0`; the paper takes 128 for person re-identification. Defaults to
            128.
        across_ranks: Compare the batches of all ranks. Defaults to True.

    References:
        Y. Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization",
        CVPR 2020, https://arxiv.org/abs/2002.10857.

    Example:
        >>> loss = CircleLoss()(torch.randn(4, 8), torch.tensor([0, 0, 1, 1]))
    """

    def __init__(
        self, margin: float = 0.25, scale: float = 128.0, across_ranks: bool = True
    ) -> None:
        super().__init__(across_ranks)
        if not scale > 0:
            raise UserError(f"CircleLoss: scale={scale} must be positive.")
        self.margin = margin
        self.scale = scale

    def compare(self, feats: Tensor, pids: Tensor) -> Tensor:
        """Return the loss of rows (B, D) with labels (B,)."""
        feats = unit_rows(feats)
        similarity = feats @ feats.t()
        found = similarity.detach()  # weights carry no gradient
        positive, negative = pair_masks(pids)

        weight_p = (1 + self.margin - found).clamp_min(0)
        weight_n = (found + self.margin).clamp_min(0)
        logit_p = -self.scale * weight_p * (similarity - 1 + self.margin)
        logit_n = self.scale * weight_n * (similarity - self.margin)
        valid = positive.any(dim=1) & negative.any(dim=1)
        total = masked_logsumexp(logit_p, positive) + masked_logsumexp(logit_n, negative)
        return mean_where(log1p_exp(torch.where(valid, total, 0.0)), valid)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"margin={self.margin}, scale={self.scale}, across_ranks={self.across_ranks}"
