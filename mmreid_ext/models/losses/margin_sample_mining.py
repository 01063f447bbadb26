"""Separate the farthest positive pair of a batch from its nearest negative pair."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmreid_ext.registry import MODELS

from .batch_loss import BatchLoss
from .pairwise import hardest_pairs, pair_masks, paired_distances, unit_rows


@MODELS.register_module()
class MarginSampleMiningLoss(BatchLoss):
    r"""Margin between the farthest positive pair and the nearest negative pair of the whole batch.

    With squared distances :math:`d` of L2-normalised features,

    .. math:: L = \max(0, \max_{y_i = y_j} d_{ij} - \min_{y_i \ne y_j} d_{ij} + m)

    PaddleCV calls it "quadruplet": the two pairs may have four different images. A batch without
    any positive pair or without any negative pair gives 0. If a pair occurs several times at the
    extreme distance the gradient is shared between its copies.

    Args:
        margin: :math:`m`. Defaults to 0.1.
        across_ranks: Mine in the batches of all ranks. Defaults to True.

    References:
        Q. Xiao, H. Luo, C. Zhang, "Margin Sample Mining Loss: A Deep Learning Based Method for
        Person Re-identification", arXiv 2017, https://arxiv.org/abs/1710.00478.

    Example:
        >>> loss = MarginSampleMiningLoss()(torch.randn(4, 8), torch.tensor([0, 0, 1, 1]))
    """

    def __init__(self, margin: float = 0.1, across_ranks: bool = True) -> None:
        super().__init__(across_ranks)
        self.margin = margin

    def compare(self, feats: Tensor, pids: Tensor) -> Tensor:
        """Return the loss of rows (B, D) with labels (B,)."""
        feats = unit_rows(feats)
        positive, negative = pair_masks(pids)
        # A row is the positive of its own at distance 0: that changes no maximum.
        farthest, nearest = hardest_pairs(feats, feats, ~negative, negative)
        hard_positive, hard_negative = (
            paired_distances(feats, feats.index_select(0, partner), "squared_euclidean")
            for partner in (farthest, nearest)
        )
        excess = hard_positive.max() - hard_negative.min() + self.margin
        # Without a pair of one kind its distances mean nothing.
        exists = positive.any() & negative.any()
        return torch.where(exists, F.relu(excess), 0.0)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"margin={self.margin}, across_ranks={self.across_ranks}"
