"""Re-rank by k-reciprocal encoding: distances of all pairs, or scores computed when asked for.

Shapes: Q queries, G gallery images, N = Q + G, D numbers per feature.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.distributed import agreed, dealt_blocks, fill_in, ranks_sharing
from mmreid_ext.evaluation.from_disk.disk_features import strung
from mmreid_ext.evaluation.retrieval.full_precision import full_precision
from mmreid_ext.evaluation.retrieval.inputs import check_features
from mmreid_ext.evaluation.retrieval.norms import row_norms, with_zero_direction
from mmreid_ext.evaluation.retrieval.settings import K1, K2, LAMBDA, Progress, check_rerank
from mmreid_ext.evaluation.retrieval.similarity import FeatureSimilarity
from mmreid_ext.evaluation.retrieval.tiles import RERANK_FACTOR, default_budget, tile_shape

from .approximate_neighbors import approximate_neighbors
from .encoding import distance_scale, encode
from .neighbors import exact_neighbors
from .reranked_similarity import RerankedSimilarity

_MOST_ENCODED = 1024
"""Images encoded at a time at most: more are no quicker."""

_INT32 = 4  # bytes


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
    r"""Compute distances after re-ranking with k-reciprocal encoding.

    With ``D`` the squared Euclidean distances of L2-normalised features among all N = Q + G
    images, each row over its greatest value:

    1. ``R(p, k)``: images among the first ``k + 1`` of ``p`` (itself included) that have ``p``
       among their first ``k + 1``. ``R*(p)`` joins to ``R(p, k1)`` every ``R(q, k1/2)`` of its
       members ``q`` that it shares more than 2/3 of.
    2. ``V[p, q] = exp(-D[p, q])`` on ``R*(p)``, scaled to sum 1, then averaged over the ``k2``
       nearest.
    3. :math:`J_{pg} = 1 - s / (2 - s)` with :math:`s = \sum_j \min(V_{pj}, V_{gj})`.
    4. The result is ``(1 - lambda) J + lambda D``.

    Neighbours at equal distance are taken in order of index, queries first; distances are equal
    that round to the same multiple of 2**-38. A zero feature has cosine 0 with all others, as in
    every ranking (but 1 with zero ones). Nothing of size N x N is held: only lists of neighbours,
    sparse rows, and tiles.

    Args:
        query_feats: Shape (Q, D), any floating type.
        gallery_feats: Shape (G, D), same device.
        k1: Size of the reciprocal sets, at least 1.
        k2: Images averaged over, all of them where there are fewer; 1 switches the averaging off.
        lambda_value: Weight of the plain distance, in [0, 1].
        memory_budget: Working memory in bytes for tiles. Defaults to 256 MiB on a CPU and 4 GiB on
            other devices. Lists of neighbours and sparse rows (about 4 KB per image) and a joined
            copy of the features come on top.
        distributed: All ranks hold the same features and do a share each; all return the same.
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
        similarity = rerank_similarity(
            query, gallery, memory_budget, k1, k2, lambda_value, distributed, progress, approximate
        )
        shape = similarity.shape
        result = query.new_empty((len(query), len(gallery)), dtype=torch.float32)
        rank, world_size = ranks_sharing(distributed)
        blocks = dealt_blocks(len(query), shape.rows, world_size)
        with agreed("distances", distributed):
            for first, last, owner in blocks:
                if owner == rank:
                    rows = similarity.rows(torch.arange(first, last, device=query.device))
                    for start in range(0, len(gallery), shape.double_cols):
                        stop = min(start + shape.double_cols, len(gallery))
                        result[first:last, start:stop] = rows.double_tile(start, stop).neg_()
                    if progress is not None:
                        progress("distances", last, len(query))
    return fill_in(result, blocks, distributed)


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
) -> RerankedSimilarity:
    """Prepare re-ranked scores: search neighbours, and encode all images by them.

    Args:
        query: Shape (Q, D), checked by :func:`~..inputs.check_features`.
        gallery: Shape (G, D), likewise.
        memory_budget: This and the following as for :func:`k_reciprocal_rerank`.
        k1: Size of the reciprocal sets.
        k2: Images averaged over.
        lambda_value: Weight of the plain distance.
        distributed: Ranks share the search for neighbours, and the encoding.
        progress: Called with (stage, done, in all).
        approximate: Search neighbours with FAISS.
        gallery_rows: What messages call the rows of the gallery, (G,). None: their positions.

    Raises:
        ValueError: For NaN or infinite features, or parameters out of range.
    """
    check_rerank(dict(k1=k1, k2=k2, lambda_value=lambda_value))
    budget = memory_budget
    if budget is None:
        budget = RERANK_FACTOR * default_budget(query.device)
    # besides its features a query needs its sums of minima, an int32 per gallery image
    shape = tile_shape(budget, query.shape[1], _INT32 * len(gallery), query.device)
    norms = [row_norms(query, "query_feats"), row_norms(gallery, "gallery_feats", gallery_rows)]
    feats = with_zero_direction(strung(query, gallery), torch.cat(norms))
    features = FeatureSimilarity(feats, feats, "unit_euclidean")
    k = min(max(k1 + 1, k2), len(feats))
    if approximate:
        neighbors = approximate_neighbors(features, feats, k, progress=progress)
    else:
        neighbors = exact_neighbors(features, k, budget, distributed=distributed, progress=progress)
    # the widest array of the encoding has (k1 + 1)**3 / 2 flags per row; a quarter of the budget
    flags = (k1 + 1) ** 2 * k // 2
    rows_at_once = max(1, min(_MOST_ENCODED, budget // 4 // max(1, flags)))
    encoding = encode(features, neighbors, k1, k2, rows_at_once, distributed)
    scale = distance_scale(neighbors.farthest)[: len(query)]
    return RerankedSimilarity(features, encoding, scale, lambda_value, shape)
