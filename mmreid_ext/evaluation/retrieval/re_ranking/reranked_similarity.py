"""Score queries and gallery images by their re-ranked distance, a few queries at a time.

Shapes: Q queries, G gallery images, N = Q + G, B queries of one chunk, P single pairs, nnz entries
of the encodings of the gallery.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mmreid_ext.evaluation.retrieval.similarity import LITTLE, TIE, FeatureRows, FeatureSimilarity
from mmreid_ext.evaluation.retrieval.tiles import TileShape

from .encoding import UNIT, SparseRows, spans

_JACCARD_ERROR = 2.0**-21
"""Float32 rounding of the Jaccard distance and of the sum: eight operations of 2**-24 each."""


class RerankedSimilarity:
    """Score queries and gallery images by minus their re-ranked distance, in [-1, 0].

    Args:
        features: Similarity of all N images, queries first.
        encoding: Sparse encodings of all images, (N, N).
        scale: (Q,), factors of the plain distance.
        lambda_value: Its weight.
        shape: Sizes of the tiles that the scores are read in.
    """

    def __init__(
        self,
        features: FeatureSimilarity,
        encoding: SparseRows,
        scale: Tensor,
        lambda_value: float,
        shape: TileShape,
    ):
        self.features, self.encoding, self.scale = features, encoding, scale
        self.lambda_value, self.shape = lambda_value, shape
        self.num_queries = len(scale)
        # entries of the gallery's encodings in order of column, (nnz,): their images and weights
        rows = encoding.rows()
        first = int(encoding.starts[len(scale)])
        by_col, order = encoding.cols[first:].sort(stable=True)
        self.col_images = rows[first:][order] - len(scale)
        self.col_weights = encoding.weights[first:][order]
        limits = torch.arange(len(features) + 1, device=features.device)
        self.col_starts = torch.searchsorted(by_col, limits)

    def __len__(self) -> int:
        return len(self.features) - self.num_queries

    @property
    def is_little(self) -> bool:
        """Whether all scores together cost so little that they may as well be float64."""
        return self.num_queries * len(self) * self.features.dim <= LITTLE

    def ties(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Return how far below these scores another one still ties, of the common shape."""
        shape = torch.broadcast_shapes(rows.shape, cols.shape)
        return torch.full(shape, TIE, dtype=torch.float64, device=rows.device)

    def rows(self, index: Tensor) -> RerankedRows:
        """Return the re-ranked scores of some queries."""
        return RerankedRows(self, index)

    def shared_weight(self, index: Tensor) -> Tensor:
        """Sum the minima of the encodings of queries and of the gallery, (B, G), int32.

        int32 is wide enough, see :data:`~.encoding.UNIT`; the order of summation doesn't matter.
        """
        total = torch.zeros((len(index), len(self)), dtype=torch.int32, device=index.device)
        encoding = self.encoding
        at, row = spans(encoding.starts[index], encoding.starts[index + 1] - encoding.starts[index])
        cols, weights = encoding.cols[at], encoding.weights[at]
        counts = self.col_starts[cols + 1] - self.col_starts[cols]
        part = (counts.cumsum(0) // self.shape.elements).cpu()
        for piece in _pieces(part):
            place, owner = spans(self.col_starts[cols[piece]], counts[piece])
            least = torch.minimum(self.col_weights[place], weights[piece][owner])
            target = row[piece][owner] * len(self) + self.col_images[place]
            total.view(-1).index_add_(0, target, least)
        return total


def _pieces(part: Tensor) -> list[slice]:
    """Runs of equal numbers in an ascending vector, (n,)."""
    ends = torch.bincount(part).cumsum(0).tolist()
    return [slice(a, b) for a, b in zip([0, *ends], ends, strict=False) if a < b]


class RerankedRows:
    """The re-ranked scores of one chunk of queries; see :class:`RerankedSimilarity`."""

    def __init__(self, similarity: RerankedSimilarity, index: Tensor):
        self.similarity, self.index = similarity, index
        self.features: FeatureRows = similarity.features.rows(index)
        self.device = index.device
        self.shared = similarity.shared_weight(index)
        self.factor = similarity.scale[index] * similarity.lambda_value
        self.tolerance = self.features.tolerance * max(self.factor.max().item(), 0) + _JACCARD_ERROR

    def __len__(self) -> int:
        return len(self.index)

    def _score(self, plain: Tensor, shared: Tensor, factor: Tensor) -> Tensor:
        shared = shared.to(plain.dtype).mul_(1 / UNIT)
        jaccard = 1 - shared / (2 - shared)
        plain = plain.clamp_(max=0).mul_(factor.to(plain.dtype))
        return plain.sub_(jaccard.mul_(1 - self.similarity.lambda_value))

    def tile(self, start: int, stop: int) -> Tensor:
        """Return float32 scores against gallery rows ``start:stop``."""
        offset = self.similarity.num_queries
        plain = self.features.tile(start + offset, stop + offset)
        return self._score(plain, self.shared[:, start:stop], self.factor[:, None])

    def double_tile(self, start: int, stop: int) -> Tensor:
        """Return the same in float64."""
        offset = self.similarity.num_queries
        plain = self.features.double_tile(start + offset, stop + offset)
        return self._score(plain, self.shared[:, start:stop], self.factor[:, None])

    def pairs(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Return float64 scores of single pairs."""
        plain = self.features.pairs(rows, cols + self.similarity.num_queries)
        return self._score(plain, self.shared[rows, cols], self.factor[rows])

    def ties(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Return how far below these pairs' scores another one still ties."""
        return self.similarity.ties(rows, cols)
