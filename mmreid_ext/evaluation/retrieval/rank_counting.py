"""Count the negatives ahead of each match, which gives the ranks of the matches.

Shapes: B queries of one chunk, C gallery images of one tile, P pairs of one identity, M matches.
A match is an image of the query's identity that counts; a negative is one of another identity.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .operating_points import ScoreHistogram
from .same_identity import SameIdentity
from .similarity import Rows
from .tiles import TileShape

_ROW = 4.0
"""Distance between the keys of two rows: scores and thresholds lie strictly within (-2, 2)."""

_KEY_ERROR = 2.0**-36
"""Keys up to 4 * 4,096 rows are rounded by up to 2**-39; eight times that."""

_MANY = 64
"""A pair alone costs about 100 times its share of a float64 product (measured).

So a tile with more than 1/64 of its scores undecided is computed in float64 as a whole.
"""

_LOOKED_AT = 4
"""Scores compared at a time, over those that become candidates: a candidate takes 64 bytes.

A score that is compared takes a byte, and 8 more if it is a candidate.
"""

_FEW = 1024
"""This many pairs are always scored alone: some milliseconds, also where a tile is small."""

_SAFETY = 16
"""Times the greatest error seen among the matches of a tile, to bound that of all its scores.

The greatest of 10**9 normal errors is 6 deviations, that of a few is seldom below half of one.
"""

_HISTOGRAM_SHARE = 4
"""A histogram takes 16 bytes a score, a quarter of a candidate's 64 (see ``tiles``)."""


def _places(mask: Tensor) -> Tensor:
    """Return where a mask is true, as numbers of its flattened form, ascending."""
    if mask.device.type == "cpu":  # NumPy takes a quarter of the time of torch's `nonzero`
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.flatten().nonzero().flatten()


class RankCounter:
    """Count, for every match of a chunk, the negatives at least as near.

    Float32 scores decide if they differ from the match's float64 score by more than rounding can
    explain. The few others are scored again in float64. So the counts are those of float64 scores,
    whatever the tiles. A negative is ahead of a match if it reaches the match's threshold: the
    match's score less what still ties with it.

    Args:
        rows: The chunk.
        same: Its pairs of the same identity.
        shape: Tile sizes.
        histogram: Collects the scores of all pairs, or None.

    Attributes:
        match_rows: (M,), row of each match, ascending.
        scores: (M,), float64.
        thresholds: (M,), float64, ascending within a row.
        starts: (B + 1,), where the matches of each row begin.
    """

    def __init__(
        self,
        rows: Rows,
        same: SameIdentity,
        shape: TileShape,
        histogram: ScoreHistogram | None = None,
    ):
        self.rows, self.same, self.shape, self.histogram = rows, same, shape, histogram
        self.same_scores = rows.pairs(same.rows, same.cols)
        matches, scores = same.rows[same.counts], self.same_scores[same.counts]
        thresholds = scores - rows.ties(matches, same.cols[same.counts])
        order = torch.argsort(thresholds, stable=True)
        order = order[torch.argsort(matches[order], stable=True)]
        self.match_rows, self.scores = matches[order], scores[order]
        self.thresholds = thresholds[order]
        self.keys = self.match_rows * _ROW + self.thresholds
        self.next_keys = torch.nn.functional.pad(self.keys, (0, 1), value=torch.inf)
        limits = torch.arange(len(rows) + 1, device=rows.device)
        self.starts = torch.searchsorted(self.match_rows, limits)
        lowest = torch.full((len(rows),), torch.inf, dtype=torch.float64, device=rows.device)
        has = self.starts[1:] > self.starts[:-1]
        lowest[has] = self.thresholds[self.starts[:-1][has]]
        self.lowest = lowest[:, None]
        self.beaten = torch.zeros(len(self.scores) + 1, dtype=torch.int64, device=rows.device)
        self.near = torch.zeros(len(self.scores), dtype=torch.int64, device=rows.device)

    def count(self, num_gallery: int) -> Tensor:
        """Count the negatives ahead of each match, (M,), int64."""
        cols, tile = self.shape.cols, self.rows.tile
        if self.histogram is not None:
            self.histogram.add_positive(self.scores)
            if self.histogram.exact:
                cols, tile = self.shape.double_cols, self.rows.double_tile
        for start in range(0, num_gallery if len(self.scores) else 0, cols):
            stop = min(start + cols, num_gallery)
            self._count_tile(tile(start, stop), start, stop)
        # an image that beats j matches of its row beats the j lowest
        above = self.beaten.flip(0).cumsum(0).flip(0)
        ends = self.starts[self.match_rows + 1]
        return above[1:] - torch.cat([above, above.new_zeros(1)])[ends + 1] + self.near

    def _count_tile(self, tile: Tensor, start: int, stop: int) -> None:
        inside = (self.same.cols >= start) & (self.same.cols < stop)
        at = (self.same.rows[inside], self.same.cols[inside] - start)
        error = (tile[at] - self.same_scores[inside]).abs()
        # The matches show how wrong the tile is on these data: usually 1/20 of the tolerance. Their
        # errors exceed it only where the hardware is less exact than it should be.
        measured = _SAFETY * error.max().item() if len(error) else 0.0
        tile[at] = -torch.inf
        if self.histogram is not None:
            rows_at_once = max(1, _HISTOGRAM_SHARE * self.shape.elements // (stop - start))
            self.histogram.add_negative(tile, len(error), rows_at_once)
        exact = tile.dtype == torch.float64
        rounding = _KEY_ERROR if exact else self.rows.tolerance + _KEY_ERROR
        if not self._examine(tile, start, max(rounding, measured)):
            tile = self.rows.double_tile(start, stop)
            tile[at] = -torch.inf
            self._examine_double(tile)

    def _examine(self, tile: Tensor, start: int, tolerance: float) -> bool:
        """Count the tile from its scores, (B, C).

        Returns False, and counts nothing, if too many scores are undecided within the tolerance.
        """
        beaten, uncertain = torch.zeros_like(self.beaten), []
        limit = tile.numel() // _MANY + _FEW
        step = max(1, _LOOKED_AT * self.shape.elements // tile.shape[1])
        # twice the tolerance: the floor itself is rounded to the type of the tile
        floor = (self.lowest - 2 * tolerance).to(tile.dtype)
        for top in range(0, len(tile), step):
            part = tile[top : top + step]
            places = _places(part >= floor[top : top + step])
            for some in places.split(self.shape.elements):
                row = some // tile.shape[1]
                col = some - row * tile.shape[1] + start
                row += top
                keys = part.flatten().index_select(0, some).double().add_(row, alpha=_ROW)
                surely = torch.searchsorted(self.keys, keys - tolerance, right=True)
                beaten += torch.bincount(surely[surely > self.starts[row]], minlength=len(beaten))
                undecided = self._undecided(row, col, surely, keys.add_(tolerance))
                limit -= undecided.shape[1]
                if limit < 0:
                    return False
                uncertain.append(undecided)
        self.beaten += beaten
        if uncertain:
            self._settle(*torch.cat(uncertain, 1))
        return True

    def _undecided(self, row: Tensor, col: Tensor, surely: Tensor, highest: Tensor) -> Tensor:
        """Pick the images that may beat more matches than they surely do, as arrays, (4, n).

        They have row, gallery image, and the first and last match, in order of keys, in question.
        """
        at = (self.next_keys[surely] <= highest).nonzero().flatten()
        perhaps = torch.searchsorted(self.keys, highest[at], right=True)
        return torch.stack([row[at], col[at], surely[at], perhaps])

    def _settle(self, rows: Tensor, cols: Tensor, low: Tensor, high: Tensor) -> None:
        """Decide in float64 whether images beat the matches ``low:high`` of their rows."""
        times = high - low
        image = torch.repeat_interleave(torch.arange(len(rows), device=rows.device), times)
        matches = torch.arange(len(image), device=rows.device) - (times.cumsum(0) - times)[image]
        matches += low[image]
        ahead = self.rows.pairs(rows, cols)[image] >= self.thresholds[matches]
        self.near += torch.bincount(matches[ahead], minlength=len(self.near))

    def _examine_double(self, tile: Tensor) -> None:
        """Count the tile from its float64 scores, (B, C), which are compared without tolerance."""
        for row, scores in enumerate(tile):
            start, end = int(self.starts[row]), int(self.starts[row + 1])
            if start < end:
                beats = torch.searchsorted(self.thresholds[start:end], scores, right=True)
                count = torch.bincount(beats, minlength=end - start + 1)
                self.near[start:end] += count[1:].flip(0).cumsum(0).flip(0)
