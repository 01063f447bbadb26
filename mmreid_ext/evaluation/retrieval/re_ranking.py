"""k-reciprocal re-ranking, sparse and in blocks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .approximate_neighbors import approximate_neighbors
from .full_precision import full_precision
from .inputs import check_features
from .neighbors import Progress, exact_neighbors
from .reciprocal_encoding import UNIT, SparseRows, distance_scale, encode, spans
from .settings import K1, K2, LAMBDA, check_rerank
from .similarity import (
    LITTLE,
    TIE,
    FeatureRows,
    FeatureSimilarity,
    row_norms,
    with_zero_direction,
)
from .tiles import TileShape, default_budget, tile_shape


def k_reciprocal_rerank(
    query_feats: Tensor | np.ndarray,
    gallery_feats: Tensor | np.ndarray,
    k1: int = K1,
    k2: int = K2,
    lambda_value: float = LAMBDA,
    *,
    memory_budget: int | None = None,
    distributed: bool = False,
    progress: Progress | None = None,
    approximate: bool = False,
) -> Tensor:
    r"""Distances after re-ranking with k-reciprocal encoding.

    With ``D`` the squared Euclidean distances of L2-normalised features among all N = Q + G
    images, each row over its greatest value:

    1. ``R(p, k)``: images among the first ``k + 1`` of ``p`` (itself included) that have ``p``
       among their first ``k + 1``. ``R*(p)`` joins to ``R(p, k1)`` every ``R(q, k1/2)`` of its
       members ``q`` that it shares more than 2/3 of.
    2. ``V[p, q] = exp(-D[p, q])`` on ``R*(p)``, scaled to sum 1, then averaged over the ``k2``
       nearest.
    3. :math:`J_{pg} = 1 - s / (2 - s)` with :math:`s = \sum_j \min(V_{pj}, V_{gj})`.
    4. The result is ``(1 - lambda) J + lambda D``.

    Neighbours at equal distance (to 2**-40) are taken in order of index, queries first. A zero
    feature has cosine 0 with all others, as in every ranking (but 1 with zero ones). Nothing of
    size N x N is held: lists of neighbours, sparse rows, and tiles.

    Args:
        query_feats: Shape (Q, D), any floating type.
        gallery_feats: Shape (G, D), same device.
        k1: Size of the reciprocal sets, at least 1.
        k2: Images averaged over, all of them where there are fewer; 1 switches the averaging off.
        lambda_value: Weight of the plain distance, in [0, 1].
        memory_budget: Working memory in bytes for tiles. Defaults to 256 MiB on a CPU and 4 GiB on
            other devices. Lists of neighbours and sparse rows (about 4 KB per image) and a joined
            copy of the features come on top.
        distributed: Ranks share the search for neighbours; all return the same result.
        progress: Called with (stage, done, in all).
        approximate: Search neighbours with FAISS, for more than a million images; see
            ``docs/benchmarks.md`` for what it costs in mAP. Defaults to False.

    Returns:
        float32, shape (Q, G), on the device of the features; smaller is nearer, in [0, 1]. They
        are float64 distances rounded once, whatever the type of the features.

    Raises:
        TypeError: For features that are not floating.
        ValueError: For NaN or infinite features, shapes that do not fit, parameters out of range.

    Paper: Zhong et al., "Re-ranking person re-identification with k-reciprocal encoding",
    CVPR 2017, https://arxiv.org/abs/1701.08398. The published code keeps V in float16; here it is
    a multiple of 2**-30, and the result within 1e-6 of the dense float64 algorithm.
    """
    query, gallery = check_features(query_feats, gallery_feats)
    if len(query) == 0 or len(gallery) == 0:
        return query.new_empty((len(query), len(gallery)), dtype=torch.float32)
    with full_precision(gallery.device):
        similarity, shape = rerank_similarity(
            query, gallery, memory_budget, k1, k2, lambda_value, distributed, progress, approximate
        )
        result = query.new_empty((len(query), len(gallery)), dtype=torch.float32)
        for chunk in torch.arange(len(query), device=query.device).split(shape.rows):
            rows, cols = similarity.rows(chunk), max(1, shape.cols // 2)
            for start in range(0, len(gallery), cols):
                stop = min(start + cols, len(gallery))
                result[chunk, start:stop] = rows.double_tile(start, stop).neg_().float()
            if progress is not None:
                progress("distances", int(chunk[-1]) + 1, len(query))
    return result


def rerank_similarity(
    query: Tensor,
    gallery: Tensor,
    memory_budget: int | None = None,
    k1: int = K1,
    k2: int = K2,
    lambda_value: float = LAMBDA,
    distributed: bool = False,
    progress: Progress | None = None,
    approximate: bool = False,
    gallery_rows: Tensor | None = None,
) -> tuple[RerankedSimilarity, TileShape]:
    """Prepare re-ranked scores: neighbours, encodings, and tile sizes to read them with."""
    check_rerank(dict(k1=k1, k2=k2, lambda_value=lambda_value))
    budget = memory_budget if memory_budget is not None else 4 * default_budget(query.device)
    shape = tile_shape(budget, query.shape[1], row_bytes=4 * len(gallery))
    norms = [row_norms(query, "query_feats"), row_norms(gallery, "gallery_feats", gallery_rows)]
    feats = with_zero_direction(torch.cat([query, gallery]), torch.cat(norms))
    features = FeatureSimilarity(feats, feats, "unit_euclidean")
    k = min(max(k1 + 1, k2), len(feats))
    if approximate:
        neighbors = approximate_neighbors(features, feats, k, progress=progress)
    else:
        neighbors = exact_neighbors(features, k, budget, distributed=distributed, progress=progress)
    # the widest array of the encoding has (k1 + 1)**3 / 2 flags per row
    widest = (k1 + 1) ** 2 * k
    rows_at_once = max(1, min(1024, budget // (2 * widest)))
    encoding = encode(features, neighbors, k1, k2, rows_at_once)
    scale = distance_scale(neighbors.farthest)[: len(query)]
    return RerankedSimilarity(features, encoding, scale, lambda_value, shape.elements), shape


class RerankedSimilarity:
    """Minus the re-ranked distance of queries and gallery images, in [-1, 0].

    Args:
        features: Similarity of all images, queries first.
        encoding: Sparse encodings of all images.
        scale: (Q,), factors of the plain distance.
        lambda_value: Its weight.
        elements: Sums of minima added up at a time.
    """

    def __init__(
        self,
        features: FeatureSimilarity,
        encoding: SparseRows,
        scale: Tensor,
        lambda_value: float,
        elements: int,
    ):
        self.features, self.encoding, self.scale = features, encoding, scale
        self.lambda_value, self.elements = lambda_value, elements
        self.num_queries = len(scale)
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
        """How far below the scores of these pairs another one still ties, of the common shape."""
        shape = torch.broadcast_shapes(rows.shape, cols.shape)
        return torch.full(shape, TIE, dtype=torch.float64, device=rows.device)

    def rows(self, index: Tensor) -> RerankedRows:
        """The re-ranked scores of some queries."""
        return RerankedRows(self, index)

    def shared_weight(self, index: Tensor) -> Tensor:
        """Sum of minima of the encodings of queries and of the gallery: (B, G) int32."""
        total = torch.zeros((len(index), len(self)), dtype=torch.int32, device=index.device)
        encoding = self.encoding
        at, row = spans(encoding.starts[index], encoding.starts[index + 1] - encoding.starts[index])
        cols, weights = encoding.cols[at], encoding.weights[at]
        counts = self.col_starts[cols + 1] - self.col_starts[cols]
        part = (counts.cumsum(0) // self.elements).cpu()
        for piece in _pieces(part):
            place, owner = spans(self.col_starts[cols[piece]], counts[piece])
            least = torch.minimum(self.col_weights[place], weights[piece][owner])
            target = row[piece][owner] * len(self) + self.col_images[place]
            total.view(-1).index_add_(0, target, least)
        return total


def _pieces(part: Tensor) -> list[slice]:
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
        self.tolerance = self.features.tolerance * max(self.factor.max().item(), 0) + 2.0**-21

    def __len__(self) -> int:
        return len(self.index)

    def _score(self, plain: Tensor, shared: Tensor, factor: Tensor) -> Tensor:
        shared = shared.to(plain.dtype).mul_(1 / UNIT)
        jaccard = 1 - shared / (2 - shared)
        plain = plain.clamp_(max=0).mul_(factor.to(plain.dtype))
        return plain.sub_(jaccard.mul_(1 - self.similarity.lambda_value))

    def tile(self, start: int, stop: int) -> Tensor:
        """Float32 scores against gallery rows ``start:stop``."""
        offset = self.similarity.num_queries
        plain = self.features.tile(start + offset, stop + offset)
        return self._score(plain, self.shared[:, start:stop], self.factor[:, None])

    def double_tile(self, start: int, stop: int) -> Tensor:
        """The same in float64."""
        offset = self.similarity.num_queries
        plain = self.features.double_tile(start + offset, stop + offset)
        return self._score(plain, self.shared[:, start:stop], self.factor[:, None])

    def pairs(self, rows: Tensor, cols: Tensor) -> Tensor:
        """Float64 scores of single pairs."""
        plain = self.features.pairs(rows, cols + self.similarity.num_queries)
        return self._score(plain, self.shared[rows, cols], self.factor[rows])

    def ties(self, rows: Tensor, cols: Tensor) -> Tensor:
        """How far below these pairs' scores another one still ties."""
        return self.similarity.ties(rows, cols)
