"""Find the nearest neighbours of every image among all images, without the N x N matrix.

Shapes: N images, k neighbours, K candidates kept, B rows of one part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mmreid_ext.distributed import agreed, even_shares, fill_in, ranks_sharing, rows_from_all
from mmreid_ext.evaluation.retrieval.settings import Progress
from mmreid_ext.evaluation.retrieval.similarity import TIE, FeatureSimilarity, order_rows

SPARE = 11
"""Candidates kept beyond the neighbours, for near-ties at the border: 21 + 11 = 32 for k1 = 20."""

LOWEST = 4
"""Candidates kept for the farthest image, for the same reason."""

_MIN_SIDE, _MAX_SIDE = 64, 4096
"""Images of a tile on each side: smaller ones are slow, larger ones no quicker."""

_SIDES, _FINE_SIDE = 8, 512
"""So many tiles on a side at least, unless they had fewer images: 36 tiles, for several ranks."""

_TILE_BYTES = 16
"""Bytes a score: the float32 tile, its transpose, and what the search for the greatest takes."""

_ORDER_BYTES = 64
"""Bytes a float64 score that is ordered: itself, its rounded form, values and places sorted."""

_ROWS_AT_ONCE = 1024
"""Rows ordered at a time: a few megabytes of candidates."""


@dataclass(frozen=True)
class Neighbors:
    """Neighbours of N images among themselves.

    Attributes:
        index: (N, k) int64, nearest first; see :func:`~..similarity.order_rows` for ties.
        farthest: (N,) float64, lowest similarity of each image to any.
    """

    index: Tensor
    farthest: Tensor


class _Best:
    """Keep the greatest scores of every row met so far, or the lowest: (N, K) of each."""

    def __init__(self, number: int, keep: int, device: torch.device, largest: bool = True):
        self.largest, self.nothing = largest, -torch.inf if largest else torch.inf
        self.scores = torch.full((number, keep), self.nothing, dtype=torch.float32, device=device)
        self.index = torch.zeros((number, keep), dtype=torch.int64, device=device)

    def update(self, start: int, tile: Tensor, offset: int) -> None:
        """Take in a tile whose first row and column have these numbers."""
        rows = slice(start, start + len(tile))
        keep = min(self.scores.shape[1], tile.shape[1])
        scores, cols = tile.topk(keep, dim=1, largest=self.largest, sorted=False)
        self._merge(rows, scores, cols + offset)

    def _merge(self, rows: slice, scores: Tensor, index: Tensor) -> None:
        scores = torch.cat([self.scores[rows], scores], 1)
        index = torch.cat([self.index[rows], index], 1)
        keep = self.scores.shape[1]
        self.scores[rows], order = scores.topk(keep, dim=1, largest=self.largest, sorted=False)
        self.index[rows] = index.gather(1, order)

    def keep_share(self, shared: bool) -> None:
        """Keep the rows of this rank, with what all ranks have seen of them."""
        if not shared:
            return
        shares = even_shares(len(self.scores), ranks_sharing()[1])
        parts = rows_from_all(self.scores, shares), rows_from_all(self.index, shares)
        self.scores = torch.full_like(parts[0][0], self.nothing)
        self.index = torch.zeros_like(parts[1][0])
        for part in zip(*parts, strict=True):
            self._merge(slice(None), *part)


def exact_neighbors(
    similarity: FeatureSimilarity,
    k: int,
    memory_budget: int,
    *,
    distributed: bool = False,
    progress: Progress | None = None,
) -> Neighbors:
    """Find the ``k`` nearest images of every image, itself among them.

    Computes float32 products of square tiles, and uses each for its rows and, transposed, for its
    columns: half of the N x N product. Keeps ``k + 11`` candidates per row. Candidates too close
    for float32 are rescored in float64, and so are the lowest four. If the k-th place itself is in
    doubt, the whole row is. So neither the tiles nor the type of the features decide anything.

    Args:
        similarity: Of N images with themselves.
        k: Number of neighbours, at most N.
        memory_budget: Bytes for tiles; the lists of candidates come on top, 12 bytes each.
        distributed: Ranks share the tiles, and then the rows.
        progress: Called with ('neighbours', tiles done, tiles in all).
    """
    number, device = len(similarity), similarity.device
    best = _Best(number, min(k + SPARE, number), device)
    worst = _Best(number, min(LOWEST, number), device, largest=False)
    with agreed("neighbours", distributed):
        _search(similarity, (best, worst), memory_budget, distributed, progress)
    best.keep_share(distributed)
    worst.keep_share(distributed)
    rank, world_size = ranks_sharing(distributed)
    shares = even_shares(number, world_size)
    own = slice(*shares[rank][:2])
    index = torch.empty((number, k), dtype=torch.int64, device=device)
    farthest = torch.empty(number, dtype=torch.float64, device=device)
    with agreed("neighbours", distributed):
        index[own], complete = _order_exactly(similarity, best, k, own.start)
        farthest[own], decided = _lowest_exactly(similarity, worst, own.start)
        open_rows = (~complete | ~decided).nonzero().flatten() + own.start
        for part in open_rows.split(max(1, memory_budget // (_ORDER_BYTES * number))):
            scores = similarity.double_tile(part, 0, number)
            index[part] = order_rows(scores, k)
            farthest[part] = similarity.pairs(part, scores.argmin(dim=1))
    fill_in(index, shares, distributed)
    return Neighbors(index, fill_in(farthest, shares, distributed))


def _search(
    similarity: FeatureSimilarity,
    lists: tuple[_Best, _Best],
    memory_budget: int,
    distributed: bool,
    progress: Progress | None,
) -> None:
    """Take this rank's tiles into the lists of candidates."""
    number = len(similarity)
    fine = max(_FINE_SIDE, -(-number // _SIDES))  # whatever the number of ranks, as all else
    side = max(_MIN_SIDE, min(_MAX_SIDE, fine, math.isqrt(memory_budget // _TILE_BYTES)))
    starts = range(0, number, side)
    rank, world_size = ranks_sharing(distributed)
    tiles = [(i, j) for i in starts for j in starts if i <= j][rank::world_size]
    for done, (i, j) in enumerate(tiles, 1):
        rows = similarity.rows(torch.arange(i, min(i + side, number), device=similarity.device))
        tile = rows.tile(j, min(j + side, number))
        parts = [(i, tile, j)] + ([(j, tile.T.contiguous(), i)] if i < j else [])
        for part in parts:
            for best in lists:
                best.update(*part)
        if progress is not None:
            progress("neighbours", done, len(tiles))


def _lowest_exactly(
    similarity: FeatureSimilarity, worst: _Best, first: int = 0
) -> tuple[Tensor, Tensor]:
    """Find the lowest float64 score of rows, of which ``first`` is the first.

    Returns:
        The scores, (n,), and whether they are certain, (n,): False if an image that is no candidate
        may be lower.
    """
    number, keep = worst.index.shape
    rows = torch.arange(first, first + number, device=worst.index.device).repeat_interleave(keep)
    scores = similarity.pairs(rows, worst.index.flatten()).view(number, keep)
    lowest = scores.min(dim=1)[0]
    border = worst.scores.max(dim=1)[0].double()  # every other float32 score is at least this
    return lowest, (lowest < border - similarity.tolerance) | (keep == len(similarity))


def _order_exactly(
    similarity: FeatureSimilarity, best: _Best, k: int, first: int = 0
) -> tuple[Tensor, Tensor]:
    """Order the candidates of rows, of which ``first`` is the first, as float64 scores would.

    Returns:
        The first ``k``, (n, k), and whether they are certain, (n,): False if an image that is no
        candidate may be nearer.
    """
    number, keep = best.index.shape
    index, place = best.index.sort(dim=1)
    found = best.scores.gather(1, place).double()
    apart = 2 * similarity.tolerance + TIE  # float32 scores that differ by more are in order
    result = torch.empty((number, k), dtype=torch.int64, device=index.device)
    border = torch.empty(number, dtype=torch.float64, device=index.device)
    for rows in torch.arange(number, device=index.device).split(_ROWS_AT_ONCE):
        scores = found[rows]
        row, at = _too_close(scores, apart).nonzero(as_tuple=True)
        scores[row, at] = similarity.pairs(rows[row] + first, index[rows[row], at])
        order = order_rows(scores, k)
        result[rows] = index[rows].gather(1, order)
        border[rows] = scores.gather(1, order[:, -1:])[:, 0]
    least = best.scores.min(dim=1)[0]
    complete = border > least.double() + apart
    return result, complete | (keep == len(similarity))


def _too_close(scores: Tensor, apart: float) -> Tensor:
    """Mark the scores that have another of their row no more than ``apart`` away, (B, K)."""
    ordered, place = scores.sort(dim=1)
    close = ordered.diff(dim=1) <= apart
    either = torch.nn.functional.pad(close, (0, 1)) | torch.nn.functional.pad(close, (1, 0))
    return torch.zeros_like(either).scatter_(1, place, either)
