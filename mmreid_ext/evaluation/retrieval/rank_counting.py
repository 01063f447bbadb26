"""Ranks of true matches, by counting the wrong images above each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from .operating_points import ScoreHistogram
from .tiles import TileShape

_ROW = 4.0  # distance between the key ranges of two rows; scores span less than (-2, 2)
_MANY = 64  # a tile with more than 1/64 of its scores near a match is computed in float64
_KEYS = 2.0**-36  # keys of 4096 rows are rounded by up to 2**-39


class Rows(Protocol):
    """Scores of one chunk of queries against a gallery, by parts."""

    tolerance: float
    device: torch.device

    def __len__(self) -> int: ...
    def tile(self, start: int, stop: int) -> Tensor:
        """Float32 scores against gallery images ``start:stop``."""

    def double_tile(self, start: int, stop: int) -> Tensor:
        """The same in float64."""

    def pairs(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Float64 scores of single pairs."""

    def ties(self, rows: Tensor, cols: Tensor) -> Tensor:
        """How far below them another score of the row still ties."""


@dataclass(frozen=True)
class SameIdentity:
    """Pairs of one chunk that share an identity, ordered by row.

    Attributes:
        rows: (P,), row in the chunk.
        cols: (P,), gallery image.
        counts: (P,), whether it is a true match (False: same camera, removed).
    """

    rows: Tensor
    cols: Tensor
    counts: Tensor


class RankCounter:
    """Counts, for every true match of a chunk, the wrong images at least as near.

    Float32 scores decide wherever they differ from the match's float64 score by more than
    rounding can explain; the few others are scored again in float64. So the counts are those of
    float64 scores, whatever the tiles. A wrong image counts as ahead of a match when its score is
    at least the match's threshold: its score less what still ties with it.

    Args:
        rows: The chunk.
        same: Its pairs of the same identity.
        shape: Tile sizes.
        histogram: Collects the scores of all pairs, or None.
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
        self.thresholds = thresholds[order]  # ascending within a row
        self.keys = self.match_rows * _ROW + self.thresholds
        limits = torch.arange(len(rows) + 1, device=rows.device)
        self.starts = torch.searchsorted(self.match_rows, limits)
        lowest = torch.full((len(rows),), torch.inf, dtype=torch.float64, device=rows.device)
        has = self.starts[1:] > self.starts[:-1]
        lowest[has] = self.thresholds[self.starts[:-1][has]]
        self.lowest = lowest[:, None]
        self.beaten = torch.zeros(len(self.scores) + 1, dtype=torch.int64, device=rows.device)
        self.near = torch.zeros(len(self.scores), dtype=torch.int64, device=rows.device)

    def count(self, num_gallery: int) -> Tensor:
        """Wrong images ahead of each match, aligned with :attr:`scores`."""
        cols, tile = self.shape.cols, self.rows.tile
        if self.histogram is not None:
            self.histogram.add_true(self.scores)
            if self.histogram.exact:
                cols, tile = max(1, cols // 2), self.rows.double_tile
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
        # the matches show how wrong the tile is on these data: usually a twentieth of the tolerance
        measured = 16 * error.max().item() if len(error) else 0.0
        tile[at] = -torch.inf
        if self.histogram is not None:
            for part in tile.split(max(1, 4 * self.shape.elements // (stop - start))):
                self.histogram.add_wrong(part)
            self.histogram.wrong[0] -= len(error)
        rounding = _KEYS if tile.dtype == torch.float64 else self.rows.tolerance + _KEYS
        tolerance = max(rounding, measured)
        if not self._examine(tile, start, tolerance):
            tile = self.rows.double_tile(start, stop)
            tile[at] = -torch.inf
            self._examine_double(tile)

    def _examine(self, tile: Tensor, start: int, tolerance: float) -> bool:
        """Count a tile; False, and nothing counted, when too much of it is undecided."""
        beaten, uncertain = torch.zeros_like(self.beaten), []
        limit = tile.numel() // _MANY + 1024
        step = max(1, self.shape.elements // tile.shape[1])
        for top in range(0, len(tile), step):
            part = tile[top : top + step]
            floor = self.lowest[top : top + step] - 2 * tolerance
            row, col = (part >= floor.to(part.dtype)).nonzero(as_tuple=True)
            keys = part[row, col].double()
            row += top
            keys += row * _ROW
            surely = torch.searchsorted(self.keys, keys - tolerance, right=True)
            perhaps = torch.searchsorted(self.keys, keys + tolerance, right=True)
            beaten += torch.bincount(surely[surely > self.starts[row]], minlength=len(beaten))
            undecided = (perhaps > surely).nonzero().flatten()
            limit -= len(undecided)
            if limit < 0:
                return False
            fields = (row, col + start, surely, perhaps)
            uncertain.append(torch.stack([x[undecided] for x in fields]))
        self.beaten += beaten
        self._settle(*torch.cat(uncertain, 1))
        return True

    def _settle(self, rows: Tensor, cols: Tensor, low: Tensor, high: Tensor) -> None:
        """Decide in float64 whether images beat the matches ``low:high`` of their rows."""
        times = high - low
        image = torch.repeat_interleave(torch.arange(len(rows), device=rows.device), times)
        matches = torch.arange(len(image), device=rows.device) - (times.cumsum(0) - times)[image]
        matches += low[image]
        ahead = self.rows.pairs(rows, cols)[image] >= self.thresholds[matches]
        self.near += torch.bincount(matches[ahead], minlength=len(self.near))

    def _examine_double(self, tile: Tensor) -> None:
        """Count a float64 tile, whose scores are compared as they are."""
        for row, scores in enumerate(tile):
            start, end = self.starts[row].item(), self.starts[row + 1].item()
            if start < end:
                beats = torch.searchsorted(self.thresholds[start:end], scores, right=True)
                count = torch.bincount(beats, minlength=end - start + 1)
                self.near[start:end] += count[1:].flip(0).cumsum(0).flip(0)
