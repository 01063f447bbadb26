"""Weigh every pair by its similarity and by its anchor's other pairs: multi-similarity."""

from __future__ import annotations

import torch
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .pair_loss import PairLoss
from .pairwise import log1p_exp, masked_logsumexp, unit_rows


@MODELS.register_module()
class MultiSimilarityLoss(PairLoss):
    r"""Weigh each pair by its own similarity and by its relation to the anchor's other pairs.

    Per anchor, on cosine similarities, keep the positives (below :math:`1 - 10^{-5}`) whose
    similarity minus :math:`\epsilon` is below the highest negative, and the negatives whose
    similarity plus :math:`\epsilon` is above the lowest positive; then

    .. math::
        L = \frac{1}{|Q|} \sum_i \frac{1}{\alpha} \log\Big(1 + \sum_{p} e^{-\alpha (s_{ip} -
            \lambda)}\Big) + \frac{1}{\beta} \log\Big(1 + \sum_{n} e^{\beta (s_{in} - \lambda)}\Big)

    The lowest positive is taken before mining and the highest negative among the kept negatives,
    which is the same as over all negatives whenever one is kept. An anchor left without positive or
    negative pair adds 0 to the sum (still divided by all anchors), and no pair at all gives 0.

    Args:
        threshold: :math:`\lambda`. Defaults to 0.5.
        mining_margin: :math:`\epsilon`. Defaults to 0.1.
        positive_scale: :math:`\alpha`. Defaults to 2.
        negative_scale: :math:`\beta`. Defaults to 40.
        across_ranks: Compare the batches of all ranks. Defaults to True.

    References:
        X. Wang, X. Han, W. Huang, D. Dong, M. R. Scott, "Multi-Similarity Loss with General Pair
        Weighting for Deep Metric Learning", CVPR 2019, https://arxiv.org/abs/1904.06627.

    Example:
        >>> loss = MultiSimilarityLoss()(torch.randn(4, 8), torch.tensor([0, 0, 1, 1]))
    """

    # More similar positives are an image's pair with itself, or copies; the reference's value.
    _SELF_SIMILARITY = 1 - 1e-5

    def __init__(
        self,
        threshold: float = 0.5,
        mining_margin: float = 0.1,
        positive_scale: float = 2.0,
        negative_scale: float = 40.0,
        across_ranks: bool = True,
    ) -> None:
        super().__init__(across_ranks)
        for name, scale in {
            "positive_scale": positive_scale,
            "negative_scale": negative_scale,
        }.items():
            if scale <= 0:
                raise UserError(f"MultiSimilarityLoss: {name}={scale} must be positive.")
        self.threshold = threshold
        self.mining_margin = mining_margin
        self.positive_scale = positive_scale
        self.negative_scale = negative_scale

    def compare(self, feats: Tensor, pids: Tensor, key_feats: Tensor, key_pids: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against keys (M, D)."""
        similarity = unit_rows(feats) @ unit_rows(key_feats).t()
        positive, negative = self._mine(similarity.detach(), pids[:, None] == key_pids)
        excess = similarity - self.threshold
        scale_p, scale_n = self.positive_scale, self.negative_scale
        terms = log1p_exp(masked_logsumexp(-scale_p * excess, positive)) / scale_p
        terms = terms + log1p_exp(masked_logsumexp(scale_n * excess, negative)) / scale_n
        valid = positive.any(dim=1) & negative.any(dim=1)
        return torch.where(valid, terms, 0.0).sum() / len(feats)

    def _mine(self, similarity: Tensor, same: Tensor) -> tuple[Tensor, Tensor]:
        """Mark the kept positives and negatives, (B, M) each."""
        # Negated comparisons, so that NaN similarities are kept and reach the loss.
        positive = same & ~(similarity >= self._SELF_SIMILARITY)
        lowest = similarity.masked_fill(~positive, float("inf")).amin(dim=1, keepdim=True)
        highest = similarity.masked_fill(same, float("-inf")).amax(dim=1, keepdim=True)
        hard_positive = positive & ~(similarity - self.mining_margin >= highest)
        hard_negative = ~same & ~(similarity + self.mining_margin <= lowest)
        return hard_positive, hard_negative

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f"threshold={self.threshold}, mining_margin={self.mining_margin}, "
            f"positive_scale={self.positive_scale}, negative_scale={self.negative_scale}, "
            f"across_ranks={self.across_ranks}"
        )
