"""Classify each anchor's positive among the positives of all identities: N-pairs loss."""

from __future__ import annotations

import torch
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .batch_loss import BatchLoss
from .pairwise import lowest, mean_where


@MODELS.register_module()
class NPairsLoss(BatchLoss):
    r"""Softmax over the positives of all identities, one (anchor, positive) pair per identity.

    The images of an identity are paired in order of appearance: the first is an anchor and the
    second its positive, the third an anchor, and so on; the last of an odd number is not used.
    With anchors :math:`a_i`, positives :math:`p_j`, :math:`S = A P^T` (features not normalised), N
    pairs,

    .. math::
        L = -\frac{1}{N} \sum_i \sum_{j: y_j = y_i} \log \mathrm{softmax}(S_i)_j
            + \frac{\lambda}{2} \, \mathrm{mean} |x|^2

    over the 2N features used. As in the reference (PaddleCV), an identity with several pairs has a
    target of 1 at each of its positives, not renormalised. The reference wants exactly two
    consecutive images per identity; for such batches the two are equal.

    Args:
        reg_lambda: :math:`\lambda`. Defaults to 0.01.
        across_ranks: Pair and compare in the batches of all ranks. Defaults to True.

    Raises:
        ValueError: An identity with a single image in the (global) batch. Checked for CPU tensors;
            on an accelerator, where reading it waits for the device, such images are left out, and
            a batch without any pair has the loss NaN.

    References:
        K. Sohn, "Improved Deep Metric Learning with Multi-class N-pair Loss Objective", NIPS 2016,
        https://papers.nips.cc/paper/6200.

    Example:
        >>> loss = NPairsLoss()(torch.randn(4, 8), torch.tensor([0, 0, 1, 1]))
    """

    def __init__(self, reg_lambda: float = 0.01, across_ranks: bool = True) -> None:
        super().__init__(across_ranks)
        self.reg_lambda = reg_lambda

    def compare(self, feats: Tensor, pids: Tensor) -> Tensor:
        """Return the loss of rows (B, D) with labels (B,)."""
        same = pids[:, None] == pids
        count = same.sum(dim=1)
        self._check_partners(count)

        earlier = same.tril(-1).sum(dim=1)
        positive = earlier % 2 == 1
        anchor = ~positive & (earlier + 1 < count)
        scores = feats @ feats.t()
        log_softmax = scores.masked_fill(~positive, lowest(scores.dtype)).log_softmax(dim=1)
        terms = -torch.where(same & positive, log_softmax, 0.0).sum(dim=1)
        penalty = mean_where(feats.square().sum(dim=1), anchor | positive)
        mean = torch.where(anchor, terms, 0.0).sum() / anchor.sum()  # NaN without any pair
        return mean + 0.5 * self.reg_lambda * penalty

    def _check_partners(self, count: Tensor) -> None:
        if count.device.type != "cpu":
            return
        num_alone = int((count == 1).sum())
        if num_alone:
            raise UserError(
                f"NPairsLoss: {num_alone} identities have a single image in the batch, "
                "but must have two; sample with PKSampler and num_instances=2."
            )

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"reg_lambda={self.reg_lambda}, across_ranks={self.across_ranks}"
