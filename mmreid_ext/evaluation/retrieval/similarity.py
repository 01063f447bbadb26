"""Score (query, gallery) pairs: float32 tiles of a product, float64 for single pairs.

Shapes: Q queries, G gallery images, D numbers per feature, B queries of one chunk, P single pairs.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

from .norms import row_norms, warn_of_outliers
from .tiles import default_budget, tile_shape

TIE = 2.0**-40
"""Two scores tie when they differ by no more than this; float64 rounding (2**-52) is far below."""

LITTLE = 2**30
"""Products of numbers that float64 takes about half a second for, and that need no short cut."""

_ROUNDING = 2.0**-24
"""Greatest relative error of one float32 operation."""

_CPU_PRODUCTS = 2**17  # 1 MiB of float64, in the cache; shorter lists keep one thread busy only
_DEVICE_PRODUCTS = 2**23  # 64 MiB of float64 keep an accelerator busy

_SMALL, _LARGE = 1e-12, 1e12
"""Norms between these keep numbers and products far inside float32's 1e-38 to 1e38."""


class Rows(Protocol):
    """Scores of one chunk of queries against the gallery, part by part.

    Attributes:
        tolerance: Greatest difference of a float32 score from its float64 one.
        device: Where the scores are computed.
    """

    tolerance: float
    device: torch.device

    def __len__(self) -> int: ...

    def tile(self, start: int, stop: int) -> Tensor:
        """Return float32 scores against gallery images ``start:stop``, (B, stop - start)."""

    def double_tile(self, start: int, stop: int) -> Tensor:
        """Return the same in float64."""

    def pairs(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Return float64 scores of (row of the chunk, gallery image) pairs, (P,)."""

    def ties(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Return how far below these pairs' scores another score of the row still ties, (P,)."""


def order_rows(scores: Tensor, k: int) -> Tensor:
    """Find the columns of the ``k`` greatest float64 scores of every row, in order.

    Scores are rounded to multiples of 2**-40 first, and equal multiples follow in order of column.
    Rounding makes "tied" transitive, as an order needs it. Two scores less than 2**-40 apart can
    round to neighbouring multiples; their order is then that of the scores.

    Args:
        scores: Shape (B, C).
        k: Columns kept, at most C.

    Returns:
        int64, shape (B, k).
    """
    return torch.sort((scores / TIE).round_(), dim=1, descending=True, stable=True)[1][:, :k]


class FeatureSimilarity:
    r"""Score two sets of features by :math:`s_{ij} = a_i b_j \langle x_i, y_j \rangle - u_i - w_j`.

    Scores lie in [-1, 1]; greater is nearer. The cosine has ``a = 1/|x|``, ``b = 1/|y|`` and
    ``u = w = 0``; a zero vector has cosine 0 with everything. The Euclidean score is minus the
    squared distance over ``(max|x| + max|y|)^2``. The features are only read, and float64 scores do
    not depend on their type.

    Args:
        query: Shape (Q, D), any floating type.
        gallery: Shape (G, D), same device.
        distance: ``'cosine'``, ``'euclidean'`` (features as given) or ``'unit_euclidean'`` (minus a
            quarter of ``2 - 2 cos``, the squared distance of L2-normalised features).
        numbers: What messages call the rows of the gallery, (G,). None: their positions.
        memory_budget: Bytes for tiles. None: see :func:`~.tiles.default_budget`.

    Attributes:
        shape: Sizes of the tiles that the scores are read in.
        longest: ``max|x| + max|y|``, no distance is greater.
    """

    def __init__(
        self,
        query: Tensor,
        gallery: Tensor,
        distance: str,
        numbers: Tensor | None = None,
        memory_budget: int | None = None,
    ):
        self.query, self.gallery = query, gallery
        self.device, self.dim = gallery.device, gallery.shape[1]
        held = query.nbytes + (0 if gallery is query else gallery.nbytes)
        budget = default_budget(self.device, held) if memory_budget is None else memory_budget
        self.shape = tile_shape(budget, self.dim, device=self.device)
        products = _CPU_PRODUCTS if self.device.type == "cpu" else _DEVICE_PRODUCTS
        self._pairs_at_once = max(1, products // self.dim)
        self._buffer = torch.empty(0, dtype=torch.float32, device=self.device)
        x = row_norms(query, "query_feats")
        y = x if gallery is query else row_norms(gallery, "gallery_feats", numbers)
        self.longest = _greatest(x) + _greatest(y)
        self.shifted = distance != "cosine"
        if distance == "euclidean":
            self._scale_distances(x, y)
            warn_of_outliers(x, y, numbers)
        else:
            self._scale_cosines(x, y, "unit" in distance)
        products_of_lengths = _greatest(self.a * x) * _greatest(self.b * y)
        # The rounding error of a D-term sum grows like sqrt(D) units; four times that is allowed.
        # Four more units are for the operations around the sum.
        self.tolerance = (4 * math.sqrt(self.dim) * products_of_lengths + 4) * _ROUNDING
        extreme = len(y) > 0 and not _SMALL < y.max().item() < _LARGE
        self._copies_blocks = gallery.dtype != torch.float32 or extreme

    def _scale_distances(self, x: Tensor, y: Tensor) -> None:
        """Expand ``-|x - y|^2 / longest^2`` into ``2 <x, y> - |x|^2 - |y|^2``, each scaled."""
        longest = self.longest or 1.0
        self.a, self.b = (torch.full_like(n, math.sqrt(2) / longest) for n in (x, y))
        self.u, self.w = (x / longest).square(), (y / longest).square()

    def _scale_cosines(self, x: Tensor, y: Tensor, as_distance: bool) -> None:
        self.a, self.b = (torch.where(n > 0, 1 / n, 0.0) for n in (x, y))
        self.u, self.w = torch.zeros_like(x), torch.zeros_like(y)
        if as_distance:  # -(2 - 2 cos) / 4 = cos / 2 - 1/4 - 1/4
            self.a = self.a / 2
            self.u, self.w = torch.full_like(x, 0.25), torch.full_like(y, 0.25)

    def __len__(self) -> int:
        return len(self.gallery)

    @property
    def is_little(self) -> bool:
        """Whether all scores together cost so little that they may as well be float64."""
        return len(self.query) * len(self.gallery) * self.dim <= LITTLE

    def ties(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Return how far below these scores another score of the same query still ties.

        2**-40 for the cosine. For the squared distance it is that part of ``(|x| + |y|)^2``, the
        pair's own lengths: no third image decides what a tie is.

        Args:
            rows: Queries, of any shape.
            cols: Gallery images, of a shape that fits.

        Returns:
            float64, of the common shape.
        """
        if not self.shifted:
            shape = torch.broadcast_shapes(rows.shape, cols.shape)
            return torch.full(shape, TIE, dtype=torch.float64, device=self.device)
        return TIE * (self.u[rows].sqrt() + self.w[cols].sqrt()).square()

    def rows(self, index: Tensor) -> FeatureRows:
        """Return lazy scores of some queries, (B,), against the whole gallery."""
        return FeatureRows(self, index)

    def gallery_block(self, start: int, stop: int) -> tuple[Tensor, Tensor | None]:
        """Return float32 gallery rows, and the factors that their products still need."""
        block, scale = self.gallery[start:stop], self.b[start:stop]
        if self._copies_blocks:
            return (block * scale[:, None]).float(), None
        return block, scale.float()

    def pairs(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Return float64 scores of pairs given by two index vectors, (P,)."""
        parts = [torch.zeros(0, dtype=torch.float64, device=self.device)]
        size = self._pairs_at_once
        for i, j in zip(rows.split(size), cols.split(size), strict=True):
            # picking copies, so nothing of the caller's is overwritten
            products = _picked(self.query, i).double().mul_(_picked(self.gallery, j))
            # one fixed order of summation: equal rows get equal scores, bit for bit
            parts.append(products.sum(1) * (self.a[i] * self.b[j]) - (self.u[i] + self.w[j]))
        return torch.cat(parts)

    def buffer(self, rows: int, cols: int) -> Tensor:
        """Return memory for a float32 tile, always the same: fresh memory costs time."""
        if self._buffer.numel() < rows * cols:
            self._buffer = torch.empty(rows * cols, dtype=torch.float32, device=self.device)
        return self._buffer[: rows * cols].view(rows, cols)

    def double_tile(self, index: Tensor, start: int, stop: int) -> Tensor:
        """Return float64 scores of a tile, for data whose float32 scores decide nothing."""
        # not in place: the float64 form of a float64 gallery is the caller's own array
        block = self.gallery[start:stop] * self.b[start:stop, None]
        tile = (self.query[index] * self.a[index, None]) @ block.T
        return tile.sub_(self.u[index, None]).sub_(self.w[None, start:stop])


def _picked(feats: Tensor, rows: Tensor) -> Tensor:
    """Copy rows; of a tensor by ``index_select``, which takes half the time of an index."""
    return feats.index_select(0, rows) if isinstance(feats, Tensor) else feats[rows]


def _greatest(values: Tensor) -> float:
    return values.max().item() if len(values) else 0.0


class FeatureRows:
    """The scores of one chunk of queries; see :class:`FeatureSimilarity`."""

    def __init__(self, similarity: FeatureSimilarity, index: Tensor):
        self.similarity, self.index = similarity, index
        self.feats = (similarity.query[index] * similarity.a[index, None]).float()
        self.shift = similarity.u[index, None].float()
        self.tolerance, self.device = similarity.tolerance, similarity.device

    def __len__(self) -> int:
        return len(self.index)

    def tile(self, start: int, stop: int) -> Tensor:
        """Return float32 scores against gallery rows ``start:stop``, (B, stop - start).

        The next tile of the same similarity takes the place of this one.
        """
        block, scale = self.similarity.gallery_block(start, stop)
        scores = self.similarity.buffer(len(self.feats), len(block))
        torch.mm(self.feats, block.T, out=scores)
        if scale is not None:
            scores.mul_(scale)
        if self.similarity.shifted:
            scores.sub_(self.shift).sub_(self.similarity.w[start:stop].float())
        return scores

    def double_tile(self, start: int, stop: int) -> Tensor:
        """Return the same in float64."""
        return self.similarity.double_tile(self.index, start, stop)

    def pairs(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Return float64 scores of (row of this chunk, gallery row) pairs, (P,)."""
        return self.similarity.pairs(self.index[rows], cols)

    def ties(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Return how far below these pairs' scores another score of the row still ties, (P,)."""
        return self.similarity.ties(self.index[rows], cols)
