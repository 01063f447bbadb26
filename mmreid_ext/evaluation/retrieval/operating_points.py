"""True positive rate at a false positive rate, from counts of scores."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


class ScoreHistogram:
    """Counts of the scores of true and of wrong pairs in bins of width 2**-17 over [-1, 1].

    The rate of true positives at a rate of false positives ``x`` is that of the lowest threshold
    which lets at most ``floor(x * wrong pairs)`` wrong pairs through. It is exact unless a true
    pair lies in the same bin as the first wrong pair kept out; such a pair counts as kept out, so
    that the figure is a lower bound, and ties never help.

    Args:
        device: Where the counts live.
        exact: Whether the scores of wrong pairs must be float64. Those of float32 products depend
            on the shape of the tiles by up to a bin, so the rates do so by the pairs of a bin.
    """

    BINS = 2**18

    def __init__(self, device: torch.device, exact: bool = False):
        self.exact = exact
        zeros = torch.zeros(self.BINS, dtype=torch.int64, device=device)
        self.true, self.wrong = zeros, zeros.clone()
        self._places = torch.empty(0, device=device)
        self._bins = torch.empty(0, dtype=torch.int32, device=device)

    def _count(self, scores: Tensor) -> Tensor:
        # The buffers stay: fresh ones of some megabytes take longer to map than to fill.
        if len(self._bins) < scores.numel() or self._places.dtype != scores.dtype:
            self._places = torch.empty_like(scores, memory_format=torch.contiguous_format).flatten()
            self._bins = torch.empty_like(self._places, dtype=torch.int32)
        # a third of a bin aside: rounding moves no score such as 0 or 1/2 from a bin to the next
        half = self._places.new_full((), self.BINS / 2 + 1 / 3)
        places, bins = (x[: scores.numel()] for x in (self._places, self._bins))
        torch.add(half, scores.flatten(), alpha=self.BINS / 2, out=places)
        bins.copy_(places.clamp_(0, self.BINS - 1))
        return torch.bincount(bins, minlength=self.BINS)

    def add_true(self, scores: Tensor) -> None:
        """Count true pairs."""
        self.true += self._count(scores)

    def add_wrong(self, scores: Tensor, masked: int = 0) -> None:
        """Count wrong pairs; ``masked`` of the scores are minus infinity and not counted."""
        self.wrong += self._count(scores)
        self.wrong[0] -= masked

    def tpr(self, fprs: np.ndarray) -> np.ndarray:
        """Rates of true positives at rates of false positives, both of shape (n,)."""
        # number of pairs in the bins from the top down to each bin
        true, wrong = (h.flip(0).cumsum(0).cpu().numpy() for h in (self.true, self.wrong))
        if not true[-1] or not wrong[-1]:
            return np.full(len(fprs), math.nan)
        allowed = np.floor(np.asarray(fprs) * wrong[-1] + 1e-9)
        bins = np.searchsorted(wrong, allowed, side="right")  # the first with one too many
        accepted = np.concatenate([[0], true])[bins]
        return np.where(allowed >= wrong[-1], true[-1], accepted) / true[-1]
