"""Scatter the samples of every domain: MetaBIN's intra-domain loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .full_precision import in_full_precision
from .global_batch import global_batch
from .input_checks import check_rows
from .pairwise import row_norms, unit_rows


@MODELS.register_module()
class DomainScatterLoss(nn.Module):
    r"""Mean cosine similarity of samples to the centre of their domain; minimised, it scatters.

    With unit features :math:`f_i` and centres :math:`m_d = \mathrm{mean}_{i \in d} f_i`,

    .. math::
        L = \mathrm{mean}_d \, \mathrm{mean}_{i \in d} \cos(m_d, f_i)
          = \mathrm{mean}_d \, \frac{|m_d|^2}{|m_d| + \epsilon}

    The second form is what is computed: :math:`\sum_{i \in d} m_d \cdot f_i = n_d |m_d|^2`. A
    domain whose features cancel (centre 0) contributes 0 with zero gradient, where the official
    code divides 0 by 0; so do zero features. Identical features give 1. Only domains present in
    the batch count. Norms are not padded by the official 1e-12, which changes nothing in float32.

    Args:
        eps: :math:`\epsilon` in the cosine's denominator: 0 as in the official code, 1e-8 as in
            PaddleClas. Defaults to 0.
        across_ranks: Centres over the batches of all ranks. Defaults to True.

    References:
        S. Choi, T. Kim, M. Jeong, H. Park, C. Kim, "Meta Batch-Instance Normalization for
        Generalizable Person Re-Identification", CVPR 2021, https://arxiv.org/abs/2011.14670.

    Example:
        >>> scatter = DomainScatterLoss()
        >>> scatter(torch.ones(4, 8), torch.tensor([0, 0, 1, 1]))
        tensor(1.)
    """

    def __init__(self, eps: float = 0.0, across_ranks: bool = True) -> None:
        super().__init__()
        if eps < 0:
            raise UserError(f"DomainScatterLoss: eps={eps} must be at least 0.")
        self.eps = eps
        self.across_ranks = across_ranks

    @in_full_precision
    def forward(self, feats: Tensor, domains: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            feats: Shape (B, D).
            domains: Domain of each row, any integers, shape (B,).

        Returns:
            0-d tensor in [0, 1], at least float32.
        """
        check_rows(self, feats, domains=domains)
        feats, domains = global_batch(feats, domains, across_ranks=self.across_ranks)
        # A domain's sums live in the slot of its first row: B slots, whatever the domain numbers
        # are, and no count of distinct domains for the host to wait for.
        same = domains[:, None] == domains
        slot = same.to(torch.uint8).argmax(dim=1)
        sums = torch.zeros_like(feats).index_add(0, slot, unit_rows(feats))
        norms = row_norms(sums / same.sum(dim=1, keepdim=True)).squeeze(1)
        if self.eps > 0:
            norms = norms.square() / (norms + self.eps)
        num_domains = (slot == torch.arange(len(slot), device=slot.device)).sum()
        return norms.sum() / num_domains  # slots without a domain hold zeros

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"eps={self.eps}, across_ranks={self.across_ranks}"
