"""Prepare the batch for losses that compare its rows with one another."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from .full_precision import in_full_precision
from .global_batch import global_batch
from .input_checks import check_rows


class BatchLoss(nn.Module, ABC):
    """A loss over the rows of a batch and their labels.

    ``forward`` checks, widens and gathers; a subclass writes only :meth:`compare`.

    Args:
        across_ranks: Compare the batches of all ranks (global loss, gradients through the gather).
            Defaults to True.
    """

    def __init__(self, across_ranks: bool = True) -> None:
        super().__init__()
        self.across_ranks = across_ranks

    @in_full_precision
    def forward(self, feats: Tensor, pids: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            feats: Shape (B, D).
            pids: Identity of each row, any integers, shape (B,).

        Returns:
            0-d tensor, at least float32; the same on every rank if ``across_ranks``.
        """
        check_rows(self, feats, pids=pids)
        feats, pids = global_batch(feats, pids, across_ranks=self.across_ranks)
        return self.compare(feats, pids)

    @abstractmethod
    def compare(self, feats: Tensor, pids: Tensor) -> Tensor:
        """Return the loss of checked rows (B, D) and labels (B,); nothing is gathered here."""
