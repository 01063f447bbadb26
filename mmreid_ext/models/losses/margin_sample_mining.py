"""Margin sample mining loss: one hardest positive and one hardest negative per batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmreid_ext.registry import MODELS

from .inputs import check_rows, global_batch, in_full_precision
from .pairwise import hardest_pairs, paired_distances, unit_rows


@MODELS.register_module()
class MarginSampleMiningLoss(nn.Module):
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
        super().__init__()
        self.margin = margin
        self.across_ranks = across_ranks

    @in_full_precision
    def forward(self, feats: Tensor, pids: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            feats: Shape (B, D).
            pids: Identity of each row, shape (B,).

        Returns:
            0-d tensor, at least float32.
        """
        check_rows(feats, pids=pids)
        feats, pids = global_batch(feats, pids, across_ranks=self.across_ranks)
        feats = unit_rows(feats)
        same = pids[:, None] == pids
        itself = torch.eye(len(pids), dtype=torch.bool, device=pids.device)
        farthest, nearest = hardest_pairs(feats, feats, same, ~same)
        hard_positive = paired_distances(
            feats, feats.index_select(0, farthest), "squared_euclidean"
        ).max()
        hard_negative = paired_distances(feats, feats.index_select(0, nearest), "squared_euclidean")
        # Without a negative pair (one identity) `nearest` is meaningless, but then `exists` is
        # False.
        hard_negative = hard_negative.min()
        exists = (same & ~itself).any() & (~same).any()
        return torch.where(exists, F.relu(hard_positive - hard_negative + self.margin), 0.0)

    def extra_repr(self) -> str:
        """Arguments, for ``print(model)``."""
        return f"margin={self.margin}, across_ranks={self.across_ranks}"
