"""Encode images by their reciprocal neighbours, in sparse rows of integers.

Shapes: N images, B rows of one part, k neighbours, h neighbours of a neighbour, nnz entries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mmreid_ext.distributed import agreed, even_shares, fill_in, ranks_sharing
from mmreid_ext.evaluation.retrieval.similarity import TIE, FeatureSimilarity

from .neighbors import Neighbors

UNIT = 2**30
"""Weights are multiples of 1 / UNIT: integers add up to the same sum in any order.

A row of weights sums to 1, that is 2**30 units, give or take half a unit an entry. A sum of minima
of two rows is no greater, so int32 (below 2**31) cannot overflow.
"""


@dataclass(frozen=True)
class SparseRows:
    """A sparse (N, N) matrix by rows.

    Attributes:
        starts: (N + 1,) int64, where each row begins.
        cols: (nnz,) int64, ascending within a row.
        weights: (nnz,) int32, in units of 2**-30.
    """

    starts: Tensor
    cols: Tensor
    weights: Tensor

    def rows(self) -> Tensor:
        """Return the row of every entry, (nnz,)."""
        numbers = torch.arange(len(self.starts) - 1, device=self.cols.device)
        return numbers.repeat_interleave(self.starts.diff())


def spans(starts: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """List positions ``starts[i] ... starts[i] + counts[i] - 1`` of all ``i``, each with its ``i``.

    Args:
        starts: (n,).
        counts: (n,).

    Returns:
        Positions and their ``i``, both of shape (sum of counts,).
    """
    owner = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
    offset = torch.arange(len(owner), device=counts.device)
    return starts[owner] + offset - (counts.cumsum(0) - counts)[owner], owner


def reciprocal(index: Tensor, k: int, rows: Tensor) -> Tensor:
    """Tell which of the first ``k + 1`` neighbours of ``rows`` are mutual: (B, k + 1)."""
    nearest = index[:, : k + 1]
    return (nearest[nearest[rows]] == rows[:, None, None]).any(2)


def expanded_sets(index: Tensor, k1: int, rows: Tensor) -> tuple[Tensor, Tensor]:
    r"""Find the expanded reciprocal sets R* of some images.

    ``R(p, k)`` are the mutual ones among the first ``k + 1``. ``R(q, k1/2)`` joins ``R(p, k1)`` for
    each ``q`` in it that has more than 2/3 of ``R(q, k1/2)`` in common.

    Args:
        index: (N, k), neighbours of every image, nearest first.
        k1: Size of the sets.
        rows: (B,), images.

    Returns:
        Pairs (row in ``rows``, image), sorted.
    """
    number, half = len(index), round(k1 / 2)
    # Two numbers that no image has fill the gaps: `nobody` in the sets of p, `nothing` in those of
    # its neighbours. They differ, so that a gap of one is never counted as shared with the other.
    nobody, nothing = number, number + 1
    near = torch.where(reciprocal(index, k1, rows), index[rows, : k1 + 1], nobody)  # (B, k)
    everyone, where = near.unique(return_inverse=True)
    everyone = everyone[everyone < number]
    # one row for each image of `everyone`, and a last row of gaps, which is that of `nobody`
    halves = torch.full((len(everyone) + 1, min(half + 1, index.shape[1])), nothing)
    halves = halves.to(index)
    mutual = reciprocal(index, half, everyone)
    halves[:-1] = torch.where(mutual, index[everyone, : half + 1], nothing)
    other = halves[where.clamp(max=len(everyone))]  # (B, k, h)
    size = (other < number).sum(2)  # (B, k)
    shared = (other[..., None] == near[:, None, None]).any(3).sum(2)  # (B, k)
    joined = torch.where((3 * shared > 2 * size)[..., None], other, nobody)
    sets = torch.cat([near, joined.flatten(1).clamp(max=nobody)], 1).sort(dim=1)[0]
    keep = sets < number
    keep[:, 1:] &= sets[:, 1:] != sets[:, :-1]
    row, at = keep.nonzero(as_tuple=True)
    return row, sets[row, at]


def encode(
    similarity: FeatureSimilarity,
    neighbors: Neighbors,
    k1: int,
    k2: int,
    rows_at_once: int,
    distributed: bool = False,
) -> SparseRows:
    r"""Encode every image as weights over its expanded set, averaged over its neighbours.

    ``V[p, q] = exp(-D[p, q])`` for ``q`` in ``R*(p)``, scaled to sum 1, where ``D`` is the squared
    distance over its greatest value in the row; then ``V[p]`` is the mean over the ``k2`` nearest.

    Args:
        similarity: Of N images with themselves.
        neighbors: Their neighbours.
        k1: Size of the reciprocal sets.
        k2: Images averaged over.
        rows_at_once: Images encoded at a time.
        distributed: Ranks share the images; all get all of them.
    """
    index = neighbors.index
    scale = distance_scale(neighbors.farthest)

    def encoded(rows: Tensor) -> _Part:
        row, col = expanded_sets(index, k1, rows)
        distance = -similarity.pairs(rows[row], col).clamp(max=0) * scale[rows[row]]
        weight = torch.exp(-distance)
        total = weight.new_zeros(len(rows)).index_add_(0, row, weight)
        count = torch.bincount(row, minlength=len(rows))
        return count, col, (weight / total[row] * UNIT).round_().int()

    plain = _of_all(encoded, index, rows_at_once, distributed)
    if k2 <= 1:
        return plain
    nearest, lengths = index[:, :k2], plain.starts.diff()
    return _of_all(
        lambda rows: _average(plain, lengths, nearest[rows]), index, rows_at_once, distributed
    )


_Part = tuple[Tensor, Tensor, Tensor]
"""Some rows: their numbers of entries (B,), and the entries' columns and weights, (nnz,) each."""


def _of_all(
    encoded: Callable[[Tensor], _Part], index: Tensor, rows_at_once: int, distributed: bool
) -> SparseRows:
    """Encode all rows, or this rank's share and take over those of the others."""
    rank, world_size = ranks_sharing(distributed)
    shares = even_shares(len(index), world_size)
    rows = torch.arange(*shares[rank][:2], device=index.device)
    with agreed("encoding", distributed):
        parts = [encoded(some) for some in rows.split(rows_at_once)]
        counts, cols, weights = (torch.cat(column) for column in zip(*parts, strict=True))
    if world_size == 1:
        return SparseRows(_starts(counts), cols, weights)
    lengths = counts.new_empty(len(index))
    lengths[rows] = counts
    starts = _starts(fill_in(lengths, shares))
    entries = [(int(starts[a]), int(starts[b]), owner) for a, b, owner in shares]
    own = slice(*entries[rank][:2])
    all_cols, all_weights = cols.new_empty(entries[-1][1]), weights.new_empty(entries[-1][1])
    all_cols[own], all_weights[own] = cols, weights
    return SparseRows(starts, fill_in(all_cols, entries), fill_in(all_weights, entries))


def _starts(counts: Tensor) -> Tensor:
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def distance_scale(farthest: Tensor) -> Tensor:
    """Return factors that turn minus the similarity into a distance of at most 1 in each row, (N,).

    0, so that all distances are 0, where even the farthest image ties with the image itself.
    """
    return torch.where(farthest < -TIE, -1 / farthest, 0.0)


def _average(plain: SparseRows, lengths: Tensor, nearest: Tensor) -> _Part:
    """Average the rows of the nearest images, (B, k2), rounding halves up."""
    number, k2 = len(lengths), nearest.shape[1]
    images = nearest.flatten()
    at, owner = spans(plain.starts[images], lengths[images])
    keys, order = ((owner // k2) * number + plain.cols[at]).sort()
    keys, place = keys.unique_consecutive(return_inverse=True)
    total = torch.zeros(len(keys), dtype=torch.int64, device=keys.device)
    total.index_add_(0, place, plain.weights[at[order]].long())
    count = torch.bincount(keys // number, minlength=len(nearest))
    return count, keys % number, (total + k2 // 2).div_(k2, rounding_mode="floor").int()
