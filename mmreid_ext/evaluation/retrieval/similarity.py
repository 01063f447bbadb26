"""Scores of (query, gallery) pairs: float32 tiles of a product, float64 for single pairs."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .norms import row_norms, warn_of_outliers

TIE = 2.0**-40
"""Two scores are tied when they differ by no more than this; float64 rounding is far below."""

LITTLE = 2**30
"""Products of numbers that float64 takes about half a second for, and that need no short cut."""


def order_rows(scores: Tensor, k: int) -> Tensor:
    """Columns of the ``k`` greatest float64 scores; ties in order of column."""
    return torch.sort((scores / TIE).round_(), dim=1, descending=True, stable=True)[1][:, :k]


class FeatureSimilarity:
    r"""Similarity of two sets of features, scaled into [-1, 1]; greater is nearer.

    .. math:: s_{ij} = a_i b_j \langle x_i, y_j \rangle - u_i - w_j

    with ``a = 1/|x|``, ``b = 1/|y|``, ``u = w = 0`` for the cosine (a zero vector has cosine 0 with
    everything), and minus the squared Euclidean distance over ``(max|x| + max|y|)^2`` otherwise.
    The features are only read, and the scores in float64 don't depend on their type.

    Args:
        query: Shape (Q, D), any floating type.
        gallery: Shape (G, D), same device.
        distance: ``'cosine'``, ``'euclidean'`` (features as given) or ``'unit_euclidean'`` (minus a
            quarter of ``2 - 2 cos``, the squared distance of L2-normalised features).
        numbers: What messages call the rows of the gallery, (G,).
    """

    def __init__(
        self, query: Tensor, gallery: Tensor, distance: str, numbers: Tensor | None = None
    ):
        self.query, self.gallery = query, gallery
        self.device, self.dim = gallery.device, gallery.shape[1]
        # on a CPU 256 KiB of products: they stay in the cache, five times faster than 1 MiB
        self._pairs_at_once = max(1, 2 ** (15 if self.device.type == "cpu" else 23) // self.dim)
        self._buffer = torch.empty(0, dtype=torch.float32, device=self.device)
        x = row_norms(query, "query_feats")
        y = x if gallery is query else row_norms(gallery, "gallery_feats", numbers)
        if distance == "euclidean":
            longest = sum(n.max().item() if len(n) else 0.0 for n in (x, y)) or 1.0
            self.a, self.b = (torch.full_like(n, math.sqrt(2) / longest) for n in (x, y))
            self.u, self.w = (x / longest).square(), (y / longest).square()
            self._warn_of_outliers(x, y, numbers)
        else:
            self.a, self.b = (torch.where(n > 0, 1 / n, 0.0) for n in (x, y))
            self.u, self.w = torch.zeros_like(x), torch.zeros_like(y)
            if distance == "unit_euclidean":
                self.a = self.a / 2
                self.u, self.w = torch.full_like(x, 0.25), torch.full_like(y, 0.25)
        self.shifted = distance != "cosine"
        lengths = [(s * n).max().item() if len(n) else 0.0 for s, n in ((self.a, x), (self.b, y))]
        # A sum of D products wanders by at most about sqrt(D) units of rounding; four times that.
        self.tolerance = (4 * math.sqrt(self.dim) * math.prod(lengths) + 4) * 2.0**-24
        extreme = len(y) > 0 and not 1e-12 < y.max().item() < 1e12
        self._copies_blocks = gallery.dtype != torch.float32 or extreme

    @staticmethod
    def _warn_of_outliers(x: Tensor, y: Tensor, numbers: Tensor | None) -> None:
        median = torch.cat([x, y]).median().item() if len(x) + len(y) else 0.0
        warn_of_outliers("query_feats", x, median, None)
        if x is not y:
            warn_of_outliers("gallery_feats", y, median, numbers)

    def __len__(self) -> int:
        return len(self.gallery)

    @property
    def is_little(self) -> bool:
        """Whether all scores together cost so little that they may as well be float64."""
        return len(self.query) * len(self.gallery) * self.dim <= LITTLE

    def ties(self, rows: Tensor, cols: Tensor) -> Tensor:
        """How far below the scores of these pairs another score of the same query still ties.

        2**-40 for the cosine, and for the squared distance that part of ``(|x| + |y|)^2``: of the
        pair's own lengths, so that no third image decides what a tie is.

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
        """The scores of some queries against the whole gallery, computed when asked for."""
        return FeatureRows(self, index)

    def gallery_block(self, start: int, stop: int) -> tuple[Tensor, Tensor | None]:
        """Float32 gallery rows, and the factors their products still need."""
        block, scale = self.gallery[start:stop], self.b[start:stop]
        if self._copies_blocks:
            return (block * scale[:, None]).float(), None
        return block, scale.float()

    def pairs(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Float64 scores of pairs given by two index vectors of shape (P,)."""
        parts = [torch.zeros(0, dtype=torch.float64, device=self.device)]
        size = self._pairs_at_once
        for i, j in zip(rows.split(size), cols.split(size), strict=True):
            # indexing copies, so nothing of the caller's is overwritten
            products = self.query[i].double().mul_(self.gallery[j])
            # one fixed order of summation: equal rows get equal scores, bit for bit
            parts.append(products.sum(1) * (self.a[i] * self.b[j]) - (self.u[i] + self.w[j]))
        return torch.cat(parts)

    def buffer(self, rows: int, cols: int) -> Tensor:
        """Memory for a float32 tile, the same each time: fresh memory costs time and fragments."""
        if self._buffer.numel() < rows * cols:
            self._buffer = torch.empty(rows * cols, dtype=torch.float32, device=self.device)
        return self._buffer[: rows * cols].view(rows, cols)

    def double_tile(self, index: Tensor, start: int, stop: int) -> Tensor:
        """Float64 scores of a tile, for data whose float32 scores decide nothing."""
        # not in place: the float64 form of a float64 gallery is the caller's own array
        block = self.gallery[start:stop] * self.b[start:stop, None]
        tile = (self.query[index] * self.a[index, None]) @ block.T
        return tile.sub_(self.u[index, None]).sub_(self.w[None, start:stop])


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
        """Float32 scores against gallery rows ``start:stop``, shape (B, stop - start).

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
        """The same in float64."""
        return self.similarity.double_tile(self.index, start, stop)

    def pairs(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Float64 scores of (row of this chunk, gallery row) pairs, shape (P,)."""
        return self.similarity.pairs(self.index[rows], cols)

    def ties(self, rows: Tensor, cols: Tensor) -> Tensor:
        """How far below these pairs' scores another score of the row still ties, shape (P,)."""
        return self.similarity.ties(self.index[rows], cols)
