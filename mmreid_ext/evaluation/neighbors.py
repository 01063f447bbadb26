"""Exact nearest neighbours of every image among all images, without the N x N matrix."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..distributed import gather_rows, get_rank, get_world_size
from .similarity import TIE, FeatureSimilarity

Progress = Callable[[str, int, int], None]
SPARE = 11  # candidates kept beyond the neighbours, so that near-ties at the border are all there


@dataclass(frozen=True)
class Neighbors:
    """Neighbours of N images among themselves.

    Attributes:
        index: (N, k) int64, nearest first; equal distances (by 2**-40) in order of index.
        farthest: (N,) float64, lowest similarity of each image to any.
    """

    index: Tensor
    farthest: Tensor


class _Best:
    """The greatest scores of every row met so far, and the lowest."""

    def __init__(self, number: int, keep: int, device: torch.device):
        self.scores = torch.full((number, keep), -torch.inf, device=device)
        self.index = torch.zeros((number, keep), dtype=torch.int64, device=device)
        self.lowest = torch.full((number,), torch.inf, device=device)
        self.lowest_index = torch.zeros(number, dtype=torch.int64, device=device)

    def update(self, start: int, tile: Tensor, offset: int) -> None:
        rows = slice(start, start + len(tile))
        keep = self.scores.shape[1]
        scores, cols = tile.topk(min(keep, tile.shape[1]), dim=1, sorted=False)
        self._merge(rows, scores, cols + offset)
        low, at = tile.min(dim=1)
        lower = low < self.lowest[rows]
        self.lowest[rows] = torch.where(lower, low, self.lowest[rows])
        self.lowest_index[rows] = torch.where(lower, at + offset, self.lowest_index[rows])

    def _merge(self, rows: slice, scores: Tensor, index: Tensor) -> None:
        scores = torch.cat([self.scores[rows], scores], 1)
        index = torch.cat([self.index[rows], index], 1)
        self.scores[rows], order = scores.topk(self.scores.shape[1], dim=1, sorted=False)
        self.index[rows] = index.gather(1, order)

    def join_ranks(self) -> None:
        """Merge what all ranks have seen."""
        scores, index = gather_rows(self.scores[None]), gather_rows(self.index[None])
        lowest, lowest_index = gather_rows(self.lowest[None]), gather_rows(self.lowest_index[None])
        self.scores.fill_(-torch.inf)
        for part in zip(scores, index, strict=True):
            self._merge(slice(None), *part)
        self.lowest, rank = lowest.min(dim=0)
        self.lowest_index = lowest_index.gather(0, rank[None])[0]


def exact_neighbors(
    similarity: FeatureSimilarity,
    k: int,
    memory_budget: int,
    *,
    distributed: bool = False,
    progress: Progress | None = None,
) -> Neighbors:
    """Find the ``k`` nearest images of every image, itself among them.

    Float32 products of square tiles, each used for its rows and, transposed, for its columns: half
    of the N x N product. Of the best ``k + 11``, those that float32 can't order are scored again in
    float64; rows whose border it can't decide are done wholly in float64.

    Args:
        similarity: Of N images with themselves.
        k: Number of neighbours, at most N.
        memory_budget: Bytes for tiles; the lists of candidates come on top, 12 bytes each.
        distributed: Ranks share the tiles.
        progress: Called with ('neighbours', tiles done, tiles in all).
    """
    number, device = len(similarity), similarity.device
    best = _Best(number, min(k + SPARE, number), device)
    side = max(64, min(4096, math.isqrt(memory_budget // 16)))
    starts = range(0, number, side)
    tiles = [(i, j) for i in starts for j in starts if i <= j]
    if distributed:
        tiles = tiles[get_rank() :: get_world_size()]
    for done, (i, j) in enumerate(tiles):
        rows = similarity.rows(torch.arange(i, min(i + side, number), device=device))
        tile = rows.tile(j, min(j + side, number))
        best.update(i, tile, j)
        if i < j:
            best.update(j, tile.T.contiguous(), i)
        if progress is not None:
            progress("neighbours", done + 1, len(tiles))
    if distributed:
        best.join_ranks()
    index, complete = _order_exactly(similarity, best, k)
    open_rows = (~complete).nonzero().flatten()
    for part in open_rows.split(max(1, memory_budget // (64 * number))):
        index[part] = _order_rows(similarity.double_tile(part, 0, number), k)
    everyone = torch.arange(number, device=device)
    return Neighbors(index, similarity.pairs(everyone, best.lowest_index))


def _order_rows(scores: Tensor, k: int) -> Tensor:
    """Columns of the ``k`` greatest float64 scores; ties in order of column."""
    return torch.sort((scores / TIE).round_(), dim=1, descending=True, stable=True)[1][:, :k]


def _order_exactly(similarity: FeatureSimilarity, best: _Best, k: int) -> tuple[Tensor, Tensor]:
    """Order candidates as float64 scores would; False where a better one may be missing."""
    number, keep = best.index.shape
    index, place = best.index.sort(dim=1)
    found = best.scores.gather(1, place).double()
    apart = 2 * similarity.tolerance + TIE  # float32 scores that differ by more are in order
    result = torch.empty((number, k), dtype=torch.int64, device=index.device)
    border = torch.empty(number, dtype=torch.float64, device=index.device)
    for rows in torch.arange(number, device=index.device).split(1024):
        scores = found[rows]
        row, at = _too_close(scores, apart).nonzero(as_tuple=True)
        scores[row, at] = similarity.pairs(rows[row], index[rows[row], at])
        order = _order_rows(scores, k)
        result[rows] = index[rows].gather(1, order)
        border[rows] = scores.gather(1, order[:, -1:])[:, 0]
    least = best.scores.min(dim=1)[0]
    complete = border > least.double() + apart
    return result, complete | (keep == number)


def _too_close(scores: Tensor, apart: float) -> Tensor:
    """Scores with another of their row no more than ``apart`` away."""
    ordered, place = scores.sort(dim=1)
    close = ordered.diff(dim=1) <= apart
    either = torch.nn.functional.pad(close, (0, 1)) | torch.nn.functional.pad(close, (1, 0))
    return torch.zeros_like(either).scatter_(1, place, either)
