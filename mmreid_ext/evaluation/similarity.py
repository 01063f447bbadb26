"""Scores of (query, gallery) pairs: float32 tiles of a product, float64 for single pairs."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmreid_ext.errors import UserError

TIE = 2.0**-40
"""Two scores are tied when they differ by no more than this; float64 rounding is far below."""


def row_norms(feats: Tensor, name: str, block: int = 256) -> Tensor:
    """Euclidean norms of rows in float64.

    Args:
        feats: Shape (N, D), any floating type.
        name: What the error calls them.
        block: Rows converted at a time.

    Returns:
        float64, shape (N,).

    Raises:
        ValueError: Where a feature is NaN or infinite, naming the rows.
    """
    norms = feats.new_empty(len(feats), dtype=torch.float64)
    # one buffer for all blocks: copies made anew each leave a hole that the next doesn't fit
    wide = feats.new_empty((min(block, len(feats)), feats.shape[1]), dtype=torch.float64)
    for part, out in zip(feats.split(block), norms.split(block), strict=True):
        torch.linalg.vector_norm(wide[: len(part)].copy_(part), dim=1, out=out)
    bad = (~norms.isfinite()).nonzero().flatten().tolist()
    if bad:
        raise UserError(
            f"{name}: {len(bad)} of {len(norms)} rows hold NaN or infinite values (first: "
            f"{bad[:5]}); a ranking of them means nothing, look for the cause in the model"
        )
    return norms


class FeatureSimilarity:
    r"""Similarity of two sets of features, scaled into [-1, 1]; greater is nearer.

    .. math:: s_{ij} = a_i b_j \langle x_i, y_j \rangle - u_i - w_j

    with ``a = 1/|x|``, ``b = 1/|y|``, ``u = w = 0`` for the cosine (a zero vector has cosine 0 with
    everything), and minus the squared Euclidean distance over ``(max|x| + max|y|)^2`` otherwise.

    Args:
        query: Shape (Q, D), any floating type.
        gallery: Shape (G, D), same device.
        distance: ``'cosine'``, ``'euclidean'`` (features as given) or ``'unit_euclidean'`` (minus a
            quarter of the squared distance of L2-normalised features).
    """

    def __init__(self, query: Tensor, gallery: Tensor, distance: str):
        self.query, self.gallery = query, gallery
        self.device, self.dim = gallery.device, gallery.shape[1]
        # on a CPU 256 KiB of products: they stay in the cache, five times faster than 1 MiB
        self._pairs_at_once = max(1, 2 ** (15 if self.device.type == "cpu" else 23) // self.dim)
        self._buffer = torch.empty(0, device=self.device)
        x, y = row_norms(query, "query_feats"), row_norms(gallery, "gallery_feats")
        if gallery is query:
            y = x
        if distance == "euclidean":
            largest = [n.max().item() if len(n) else 0.0 for n in (x, y)]
            scale = sum(largest) ** 2 or 1.0
            self.a, self.b = torch.full_like(x, 2 / scale), torch.ones_like(y)
            self.u, self.w = x.square() / scale, y.square() / scale
        else:
            self.a, self.b = (torch.where(n > 0, 1 / n, 0.0) for n in (x, y))
            self.u, self.w = torch.zeros_like(x), torch.zeros_like(y)
            if distance == "unit_euclidean":
                self.a = self.a / 2
                self.u, self.w = (x > 0).double() / 4, (y > 0).double() / 4
        self.shifted = distance != "cosine"
        lengths = [(s * n).max().item() if len(n) else 0.0 for s, n in ((self.a, x), (self.b, y))]
        # A sum of D products wanders by at most about sqrt(D) units of rounding; four times that.
        self.tolerance = (4 * math.sqrt(self.dim) * math.prod(lengths) + 4) * 2.0**-24
        extreme = len(y) > 0 and not 1e-12 < y.max().item() < 1e12
        self._copies_blocks = gallery.dtype != torch.float32 or extreme

    def __len__(self) -> int:
        return len(self.gallery)

    def rows(self, index: Tensor) -> FeatureRows:
        """The scores of some queries against the whole gallery, computed when asked for."""
        return FeatureRows(self, index)

    def gallery_block(self, start: int, stop: int) -> tuple[Tensor, Tensor | None]:
        """Float32 gallery rows, and the factors their products still need."""
        block, scale = self.gallery[start:stop], self.b[start:stop]
        if self._copies_blocks:
            return (block.double() * scale[:, None]).float(), None
        return block, scale.float()

    def pairs(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Float64 scores of pairs given by two index vectors of shape (P,)."""
        parts = [torch.zeros(0, dtype=torch.float64, device=self.device)]
        size = self._pairs_at_once
        for i, j in zip(rows.split(size), cols.split(size), strict=True):
            products = self.query[i].double().mul_(self.gallery[j])
            # one fixed order of summation: equal rows get equal scores, bit for bit
            parts.append(products.sum(1) * (self.a[i] * self.b[j]) - (self.u[i] + self.w[j]))
        return torch.cat(parts)

    def light_pairs(self, rows: Tensor, cols: Tensor) -> Tensor:
        """The same at half the cost, from float32 products summed in float64: to 2**-24.

        Equal rows get equal scores here too, wherever they stand.
        """
        if self._copies_blocks or self.query.dtype != torch.float32:
            return self.pairs(rows, cols)
        result = torch.empty(len(rows), dtype=torch.float64, device=self.device)
        size = 2 * self._pairs_at_once
        left, right = self.query.new_empty((2, min(size, len(rows)), self.dim))
        for at in range(0, len(rows), size):
            i, j = rows[at : at + size], cols[at : at + size]
            x, y = left[: len(i)], right[: len(i)]
            torch.index_select(self.query, 0, i, out=x)
            torch.index_select(self.gallery, 0, j, out=y)
            torch.sum(x.mul_(y), 1, dtype=torch.float64, out=result[at : at + size])
        return result.mul_(self.a[rows] * self.b[cols]).sub_(self.u[rows] + self.w[cols])

    def buffer(self, rows: int, cols: int) -> Tensor:
        """Memory for a float32 tile, the same each time: fresh memory costs time and fragments."""
        if self._buffer.numel() < rows * cols:
            self._buffer = torch.empty(rows * cols, device=self.device)
        return self._buffer[: rows * cols].view(rows, cols)

    def double_tile(self, index: Tensor, start: int, stop: int) -> Tensor:
        """Float64 scores of a tile, for data whose float32 scores decide nothing."""
        block = self.gallery[start:stop].double().mul_(self.b[start:stop, None])
        tile = (self.query[index].double() * self.a[index, None]) @ block.T
        return tile.sub_(self.u[index, None]).sub_(self.w[None, start:stop])


class FeatureRows:
    """The scores of one chunk of queries; see :class:`FeatureSimilarity`."""

    def __init__(self, similarity: FeatureSimilarity, index: Tensor):
        self.similarity, self.index = similarity, index
        self.feats = (similarity.query[index].double() * similarity.a[index, None]).float()
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
