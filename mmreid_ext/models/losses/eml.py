"""Penalise all pairs of distances of an anchor smoothly: ensemble metric learning."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .batch_loss import BatchLoss
from .pairwise import log1p_exp, masked_log_mean_exp, mean_where, pair_masks, squared_distances


@MODELS.register_module()
class EMLLoss(BatchLoss):
    r"""Smooth penalty on all (positive, negative) pairs of squared distances of an anchor.

    With squared distances :math:`d` of the features (not normalised), positives p (the
    same identity, not the anchor itself) and negatives n of anchor i,

    .. math::
        L = \mathrm{mean}_i \frac{1}{\log(1 + \beta)} \log\big(1 + \beta \,
            \mathrm{mean}_p e^{d_{ip}} \, \mathrm{mean}_n e^{-d_{in}}\big)

    The reference code (PaddleCV) factors out :math:`b = \max d_{ip} - \min d_{in}` and switches to
    an approximation above :math:`b = 20`; evaluated through log-sum-exp the exact expression never
    overflows, and the two agree to :math:`e^{-20}` times the number of pairs, divided by
    :math:`\beta`. The reference assumes K consecutive images per identity; here labels decide.

    Anchors without positive or without negative are left out of the mean; without any, 0.

    Args:
        beta: :math:`\beta > 0`. Defaults to 1e5.
        across_ranks: Compare the batches of all ranks. Defaults to True.

    References:
        C. Huang, S. Zhu, K. Yu, "Large Scale Strongly Supervised Ensemble Metric Learning, with
        Applications to Face Verification and Retrieval", arXiv 2012,
        https://arxiv.org/abs/1212.6094.

    Example:
        >>> loss = EMLLoss()(torch.randn(4, 8), torch.tensor([0, 0, 1, 1]))
    """

    def __init__(self, beta: float = 1e5, across_ranks: bool = True) -> None:
        super().__init__(across_ranks)
        if not beta > 0:
            raise UserError(f"EMLLoss: beta={beta} must be positive.")
        self.beta = beta

    def compare(self, feats: Tensor, pids: Tensor) -> Tensor:
        """Return the loss of rows (B, D) with labels (B,)."""
        distances = squared_distances(feats, feats)
        positive, negative = pair_masks(pids)

        log_mean_positive = masked_log_mean_exp(distances, positive)
        log_mean_negative = masked_log_mean_exp(-distances, negative)
        gap = math.log(self.beta) + log_mean_positive + log_mean_negative
        valid = positive.any(dim=1) & negative.any(dim=1)
        terms = log1p_exp(torch.where(valid, gap, 0.0)) / math.log1p(self.beta)
        return mean_where(terms, valid)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"beta={self.beta}, across_ranks={self.across_ranks}"
