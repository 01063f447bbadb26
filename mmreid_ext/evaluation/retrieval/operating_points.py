"""Read true positive rates and thresholds at false positive rates off histograms of scores."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.distributed import all_reduce_sum

_BIN_OFFSET = 1 / 3
"""Bins are shifted by a third of one: rounding moves no score such as 0 or 1/2 to the next."""

_LITTLE_MORE = 1e-9
"""Added to counts of allowed pairs: 0.1 * 30 is 3, whatever binary fractions make of it."""


class ScoreHistogram:
    """Count the scores of positive and negative pairs in bins of width 2**-17 over [-1, 1].

    The true positive rate at a false positive rate ``x`` is that of the lowest threshold which lets
    at most ``floor(x * negatives)`` negative pairs through. It is exact unless a positive pair lies
    in the same bin as the first negative pair kept out. Such a pair counts as kept out: the rate
    is a lower bound, and ties never help.

    Args:
        device: Where the counts live.
        exact: Whether the scores of negative pairs must be float64. Those of float32 products
            depend on the shape of the tiles by up to a bin, so the rates do by the pairs of a bin.

    Attributes:
        positive: Positive pairs by bin, (BINS,), int64.
        negative: Negative pairs by bin, (BINS,), int64.
    """

    BINS = 2**18

    def __init__(self, device: torch.device, exact: bool = False):
        self.exact = exact
        self.positive = torch.zeros(self.BINS, dtype=torch.int64, device=device)
        self.negative = self.positive.clone()
        self._places = torch.empty(0, device=device)
        self._bins = torch.empty(0, dtype=torch.int32, device=device)
        self._counts = torch.empty(0, dtype=torch.int32, device=device)
        self._one = torch.ones(1, dtype=torch.int32, device=device)

    def _count(self, scores: Tensor, total: Tensor) -> None:
        """Add the counts of some scores, fewer than 2**31, to a total by bin."""
        # The buffers stay: fresh ones of some megabytes take longer to map than to fill.
        if len(self._bins) < scores.numel() or self._places.dtype != scores.dtype:
            self._places = torch.empty_like(scores, memory_format=torch.contiguous_format).flatten()
            self._bins = torch.empty_like(self._places, dtype=torch.int32)
        half = self._places.new_full((), self.BINS / 2 + _BIN_OFFSET)
        places, bins = (x[: scores.numel()] for x in (self._places, self._bins))
        torch.add(half, scores.flatten(), alpha=self.BINS / 2, out=places)
        bins.copy_(places.clamp_(0, self.BINS - 1))
        if bins.device.type != "cpu":
            total += torch.bincount(bins, minlength=self.BINS)
            return
        # Counters of 32 bits are half as many bytes, which nearly fit into a core's cache.
        if not len(self._counts):
            self._counts = torch.zeros_like(total, dtype=torch.int32)
        self._counts.index_add_(0, bins, self._one.expand(len(bins)))
        total += self._counts
        self._counts.zero_()

    def add_positive(self, scores: Tensor) -> None:
        """Count positive pairs."""
        self._count(scores, self.positive)

    def add_negative(self, tile: Tensor, masked: int, rows_at_once: int) -> None:
        """Count negative pairs.

        Args:
            tile: Scores, (B, C).
            masked: How many of them are minus infinity, because they are not negative pairs.
            rows_at_once: Rows counted at a time, to bound memory.
        """
        for part in tile.split(rows_at_once):
            self._count(part, self.negative)
        self.negative[0] -= masked  # minus infinity falls into the lowest bin

    def join_ranks(self) -> None:
        """Sum the counts of all ranks."""
        self.positive = all_reduce_sum(self.positive)
        self.negative = all_reduce_sum(self.negative)

    def tpr(self, fprs: np.ndarray) -> np.ndarray:
        """Return true positive rates at false positive rates, both of shape (n,)."""
        positive, bins = self._from_the_top(self.positive), self._first_kept_out(fprs)
        if not positive[-1] or not self.num_negatives:
            return np.full(len(fprs), math.nan)
        return np.concatenate([[0], positive])[bins] / positive[-1]

    def thresholds(self, fprs: np.ndarray) -> np.ndarray:
        """Return the lowest similarity that is accepted at false positive rates, both (n,).

        Pairs of at least that similarity are accepted: they make the rates of :meth:`tpr`. It is
        the lower edge of a bin, so it lies at most 2**-17 below the lowest score that it accepts.
        NaN where there are no negative pairs, or fewer than ``1 / fpr`` of them: then not even one
        false acceptance is allowed, and the highest negative pair alone would decide. NaN too where
        more negative pairs than allowed are copies of one image, at a similarity of 1.
        """
        fprs = np.asarray(fprs)
        bins = self._first_kept_out(fprs)
        edges = 2 * (self.BINS - bins - _BIN_OFFSET) / self.BINS - 1
        supported = (self.num_negatives > 0) & (fprs * self.num_negatives + _LITTLE_MORE >= 1)
        return np.where(supported & (bins > 0), np.maximum(edges, -1.0), math.nan)

    @property
    def num_negatives(self) -> int:
        """Number of negative pairs."""
        return int(self.negative.sum())

    @staticmethod
    def _from_the_top(counts: Tensor) -> np.ndarray:
        """Return the number of pairs in the bins from the top down to each bin."""
        return counts.flip(0).cumsum(0).cpu().numpy()

    def _first_kept_out(self, fprs: np.ndarray) -> np.ndarray:
        """Return how many bins from the top are accepted: the next one has a pair too many."""
        negative = self._from_the_top(self.negative)
        allowed = np.floor(np.asarray(fprs) * negative[-1] + _LITTLE_MORE)
        bins = np.searchsorted(negative, allowed, side="right")
        return np.where(allowed >= negative[-1], self.BINS, bins)
