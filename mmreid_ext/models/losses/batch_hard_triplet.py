"""Compare every anchor with its hardest positive and its hardest negative."""

from __future__ import annotations

from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

from .pair_loss import PairLoss
from .pairwise import hardest_pairs, mean_where, paired_distances, ranking_terms, unit_rows

DISTANCES = ("euclidean", "squared_euclidean", "cosine")


@MODELS.register_module()
class BatchHardTripletLoss(PairLoss):
    r"""Batch-hard triplet loss, with a margin or soft.

    .. math::
        L = \frac{1}{B} \sum_i \max(0, \max_{y_j = y_i} d_{ij} - \min_{y_j \ne y_i} d_{ij} + m)

    or, for ``margin=None``, :math:`\log(1 + e^{p_i - n_i})` in place of the hinge. The Euclidean
    distance is :math:`d_{ij} = \sqrt{\max(|x_i - x_j|^2, 10^{-12})}`. An anchor counts among its
    own positives, so a single image of an identity is a valid anchor (its positive distance is
    :math:`10^{-6}`). Identities may have any number of images, in any order.

    If no anchor has a negative (one identity in the whole batch), the loss is 0.

    The soft form is computed without overflow; the reference code's ``log(1 + exp(.))`` becomes
    infinite beyond 88 in float32.

    Args:
        margin: Margin :math:`m \ge 0`; None selects the soft form. Defaults to 0.3.
        distance: ``'euclidean'`` or ``'squared_euclidean'`` on the features, or
            ``'cosine'`` (1 - cosine). Defaults to ``'euclidean'``.
        normalize_feats: L2-normalise the features first (implied by ``'cosine'``). Defaults to
            False.
        across_ranks: Mine in the batches of all ranks. Defaults to True.

    Raises:
        ValueError: Unknown ``distance`` or negative ``margin``.

    References:
        A. Hermans, L. Beyer, B. Leibe, "In Defense of the Triplet Loss for Person
        Re-Identification", arXiv 2017, https://arxiv.org/abs/1703.07737.

    Example:
        >>> triplet = BatchHardTripletLoss(margin=0.3)
        >>> triplet(torch.randn(8, 16), torch.tensor([0, 0, 1, 1, 2, 2, 2, 3])).ndim
        0
    """

    def __init__(
        self,
        margin: float | None = 0.3,
        distance: str = "euclidean",
        normalize_feats: bool = False,
        across_ranks: bool = True,
    ) -> None:
        super().__init__(across_ranks)
        if distance not in DISTANCES:
            raise UserError(
                f"BatchHardTripletLoss: distance={distance!r} must be one of {DISTANCES}."
            )
        if margin is not None and margin < 0:
            raise UserError(
                f"BatchHardTripletLoss: margin={margin} must be at least 0, or None (soft)."
            )
        self.margin = margin
        self.distance = distance
        self.normalize_feats = normalize_feats or distance == "cosine"

    def compare(self, feats: Tensor, pids: Tensor, key_feats: Tensor, key_pids: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against keys (M, D).

        Anchors without a positive or without a negative key are left out.
        """
        if self.normalize_feats:
            same = key_feats is feats
            feats = unit_rows(feats)
            key_feats = feats if same else unit_rows(key_feats)
        positive = pids[:, None] == key_pids
        negative = ~positive
        farthest, nearest = hardest_pairs(feats, key_feats, positive, negative)
        hard_positive = paired_distances(feats, key_feats.index_select(0, farthest), self.distance)
        hard_negative = paired_distances(feats, key_feats.index_select(0, nearest), self.distance)
        terms = ranking_terms(hard_positive, hard_negative, self.margin)
        return mean_where(terms, positive.any(dim=1) & negative.any(dim=1))

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return (
            f"margin={self.margin}, distance={self.distance!r}, "
            f"normalize_feats={self.normalize_feats}, across_ranks={self.across_ranks}"
        )
