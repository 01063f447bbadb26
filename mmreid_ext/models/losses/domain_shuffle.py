"""Bring the domains together: MetaBIN's inter-domain shuffle loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mmreid_ext.registry import MODELS

from .full_precision import in_full_precision
from .global_batch import global_batch
from .input_checks import check_rows
from .pairwise import hardest_pairs, mean_where, paired_distances, ranking_terms


@MODELS.register_module()
class DomainShuffleLoss(nn.Module):
    r"""Soft triplet loss that pulls other domains near and pushes the own domain's identities.

    For every anchor the positives are itself and all samples of *other* domains, of any identity;
    the negatives are the samples of *its* domain with another identity. With the farthest positive
    :math:`p_i` and the nearest negative :math:`n_i` in Euclidean distance of the features (not
    normalised),

    .. math:: L = \mathrm{mean}_i \log(1 + e^{p_i - n_i})

    If one term overflows in the working precision (:math:`p_i - n_i` above 88.7 in float32), the
    whole loss becomes the hinge :math:`\mathrm{mean}_i \max(0, p_i - n_i + 0.3)`, as in the
    official code.

    An anchor whose domain has no other identity in the batch has no negative: it is left out of the
    mean (the official code gets inf or NaN there). Without any valid anchor the loss is 0.

    Args:
        fallback_margin: Margin of the hinge used on overflow. Defaults to 0.3.
        across_ranks: Mine in the batches of all ranks. Defaults to True.

    References:
        S. Choi, T. Kim, M. Jeong, H. Park, C. Kim, "Meta Batch-Instance Normalization for
        Generalizable Person Re-Identification", CVPR 2021, https://arxiv.org/abs/2011.14670.

    Example:
        >>> shuffle = DomainShuffleLoss()
        >>> pids, domains = torch.tensor([0, 1, 2, 3]), torch.tensor([0, 0, 1, 1])
        >>> shuffle(torch.randn(4, 8), pids, domains).ndim
        0
    """

    def __init__(self, fallback_margin: float = 0.3, across_ranks: bool = True) -> None:
        super().__init__()
        self.fallback_margin = fallback_margin
        self.across_ranks = across_ranks

    @in_full_precision
    def forward(self, feats: Tensor, pids: Tensor, domains: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            feats: Shape (B, D).
            pids: Identity of each row, shape (B,).
            domains: Domain of each row, any integers, shape (B,).

        Returns:
            0-d tensor, at least float32.
        """
        check_rows(self, feats, pids=pids, domains=domains)
        feats, pids, domains = global_batch(feats, pids, domains, across_ranks=self.across_ranks)
        same_domain = domains[:, None] == domains
        itself = torch.eye(len(pids), dtype=torch.bool, device=pids.device)
        negative = same_domain & (pids[:, None] != pids)
        farthest, nearest = hardest_pairs(feats, feats, ~same_domain | itself, negative)
        hard_positive = paired_distances(feats, feats.index_select(0, farthest))
        hard_negative = paired_distances(feats, feats.index_select(0, nearest))

        valid = negative.any(dim=1)
        soft = mean_where(ranking_terms(hard_positive, hard_negative, None), valid)
        hinge = mean_where(ranking_terms(hard_positive, hard_negative, self.fallback_margin), valid)
        limit = math.log(torch.finfo(feats.dtype).max)
        overflow = (valid & (hard_positive - hard_negative > limit)).any()
        return torch.where(overflow, hinge, soft)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"fallback_margin={self.fallback_margin}, across_ranks={self.across_ranks}"
