"""Average the triplet loss over all triplets of a batch, without listing them."""

from __future__ import annotations

import torch
from torch import Tensor

from mmreid_ext.registry import MODELS

from .batch_loss import BatchLoss
from .pairwise import pair_masks, squared_distances, unit_rows


@MODELS.register_module()
class TripletMarginLoss(BatchLoss):
    r"""Triplet loss without mining: the mean over all (anchor, positive, negative) of the batch.

    With squared distances :math:`d` of L2-normalised features,

    .. math::
        L = \mathrm{mean}_{(a,p,n):\, y_a = y_p \ne y_n,\, a \ne p} \max(0, d_{ap} - d_{an} + m)

    PaddleCV's fine-tuning reads one random triplet per three images; on identity-balanced batches
    this is the expectation of that loss, from every image read. The B^3 triplets are never listed:
    for each anchor the negatives are sorted and a prefix sum gives the active ones of each
    positive, in O(B^2 log B). A batch without any triplet gives 0.

    Args:
        margin: :math:`m`. Defaults to 0.1.
        across_ranks: Form triplets in the batches of all ranks. Defaults to True.

    References:
        F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet: A Unified Embedding for Face Recognition
        and Clustering", CVPR 2015, https://arxiv.org/abs/1503.03832.

    Example:
        >>> loss = TripletMarginLoss()(torch.randn(4, 8), torch.tensor([0, 0, 1, 1]))
    """

    def __init__(self, margin: float = 0.1, across_ranks: bool = True) -> None:
        super().__init__(across_ranks)
        self.margin = margin

    def compare(self, feats: Tensor, pids: Tensor) -> Tensor:
        """Return the loss of rows (B, D) with labels (B,)."""
        feats = unit_rows(feats)
        distances = squared_distances(feats, feats)
        positive, negative = pair_masks(pids)

        negatives = distances.masked_fill(~negative, float("inf")).sort(dim=1).values
        bounds = distances + self.margin
        # active[a, p] negatives of anchor a lie below d_ap + m, and their sum is a prefix sum.
        active = torch.searchsorted(negatives.detach(), bounds.detach())
        below = torch.where(negatives.isinf(), 0.0, negatives).cumsum(dim=1)
        below = torch.cat([below.new_zeros(len(below), 1), below], dim=1)
        sums = active * bounds - below.gather(1, active)

        num_triplets = (positive.sum(dim=1) * negative.sum(dim=1)).sum()
        return torch.where(positive, sums, 0.0).sum() / num_triplets.clamp_min(1)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"margin={self.margin}, across_ranks={self.across_ranks}"
