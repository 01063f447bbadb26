"""Pull positives to similarity 1, push negatives below a margin: the pair loss of XBM."""

from __future__ import annotations

import torch
from torch import Tensor

from mmreid_ext.registry import MODELS

from .pair_loss import PairLoss
from .pairwise import unit_rows


@MODELS.register_module()
class ContrastiveLoss(PairLoss):
    r"""Sum over pairs: positives below similarity 1 and negatives above the margin.

    With :math:`s_{ij}` the cosine of anchor i and key j,

    .. math::
        L = \frac{1}{|Q|} \sum_i \Big( \sum_{y_j = y_i,\ s_{ij} < 1 - \epsilon} (1 - s_{ij})
            + \sum_{y_j \ne y_i,\ s_{ij} > m} s_{ij} \Big)

    Two things to know, both as in the reference: a negative adds :math:`s_{ij}` itself, not its
    excess over the margin; and sums are not divided by pair counts, so the loss against a memory
    grows with the memory. The filter :math:`1 - \epsilon` removes an anchor's pair with itself (and
    exact duplicates), for which float16 would be too coarse. No pair at all gives 0.

    Args:
        margin: Negatives above this similarity count. Defaults to 0.5.
        eps: :math:`\epsilon` above. Defaults to 1e-5.
        across_ranks: Compare the batches of all ranks. Defaults to True.

    References:
        X. Wang, H. Zhang, W. Huang, M. R. Scott, "Cross-Batch Memory for Embedding Learning",
        CVPR 2020, https://arxiv.org/abs/1912.06798.

    Example:
        >>> loss = ContrastiveLoss(margin=0.5)(torch.randn(4, 8), torch.tensor([0, 0, 1, 1]))
    """

    def __init__(self, margin: float = 0.5, eps: float = 1e-5, across_ranks: bool = True) -> None:
        super().__init__(across_ranks)
        self.margin = margin
        self.eps = eps

    def compare(self, feats: Tensor, pids: Tensor, key_feats: Tensor, key_pids: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against keys (M, D)."""
        anchors, keys = unit_rows(feats), unit_rows(key_feats)
        sign, num_positive = self._choose(anchors.detach() @ keys.detach().t(), pids, key_pids)
        # Once the pairs are chosen the loss is linear in the similarities, so the sum over keys can
        # come first: nothing of size B x M is differentiated or kept for the backward pass.
        return (num_positive + (anchors * (sign @ keys)).sum()) / len(feats)

    @torch.no_grad()
    def _choose(self, similarity: Tensor, pids: Tensor, key_pids: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sign of each similarity in the loss, (B, M), and the number of positives."""
        same = pids[:, None] == key_pids
        positive = (similarity < 1 - self.eps) & same
        negative = (similarity > self.margin) & ~same
        # Bytes, of which a large memory has many, until the one conversion at the end.
        sign = negative.view(torch.int8) - positive.view(torch.int8)
        return sign.to(similarity.dtype), positive.sum()

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"margin={self.margin}, eps={self.eps}, across_ranks={self.across_ranks}"
