"""Prepare anchors and keys for losses over pairs, so that a memory can serve as keys."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from mmreid_ext.errors import UserError

from .full_precision import in_full_precision
from .global_batch import global_batch
from .input_checks import check_rows


class PairLoss(nn.Module, ABC):
    """A loss over pairs (anchor, key); the keys are the batch itself unless given.

    ``forward`` checks, widens and gathers; a subclass writes only :meth:`compare`.

    Args:
        across_ranks: Compare the samples of all ranks (global loss, gradients through the gather).
            Defaults to True.
    """

    def __init__(self, across_ranks: bool = True) -> None:
        super().__init__()
        self.across_ranks = across_ranks

    @in_full_precision
    def forward(
        self,
        feats: Tensor,
        pids: Tensor,
        key_feats: Tensor | None = None,
        key_pids: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            feats: Anchors, shape (B, D).
            pids: Their labels, shape (B,).
            key_feats: Keys, shape (M, D); they are never gathered, so pass the same ones on each
                rank. Defaults to the (gathered) batch itself.
            key_pids: Labels of the keys, shape (M,); given exactly when ``key_feats`` is.

        Returns:
            0-d tensor, at least float32; the same on every rank if ``across_ranks``.

        Raises:
            TypeError: Wrong kind of dtype.
            ValueError: Wrong shapes, or only one of ``key_feats`` and ``key_pids``.
        """
        check_rows(self, feats, pids=pids)
        if (key_feats is None) != (key_pids is None):
            missing = "key_feats" if key_feats is None else "key_pids"
            raise UserError(
                f"{type(self).__name__}: {missing}=None, "
                "but key_feats and key_pids belong together; give both or neither."
            )
        feats, pids = global_batch(feats, pids, across_ranks=self.across_ranks)
        if key_feats is None or key_pids is None:
            return self.compare(feats, pids, feats, pids)
        check_rows(self, key_feats, "key_feats", key_pids=key_pids)
        if key_feats.shape[1] != feats.shape[1]:
            raise UserError(
                f"{type(self).__name__}: key_feats have dimension {key_feats.shape[1]}, "
                f"feats {feats.shape[1]}; take both from the same embedding."
            )
        return self.compare(feats, pids, key_feats.to(feats.dtype), key_pids)

    @abstractmethod
    def compare(self, feats: Tensor, pids: Tensor, key_feats: Tensor, key_pids: Tensor) -> Tensor:
        """Return the loss of checked anchors (B, D) against keys (M, D); nothing is gathered."""
