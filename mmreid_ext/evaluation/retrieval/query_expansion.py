"""Average each query with what it finds first.

Shapes: Q queries, G gallery images, D numbers per feature, B queries of one chunk, n neighbours.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from mmreid_ext.distributed import agreed, dealt_blocks, fill_in, ranks_sharing
from mmreid_ext.errors import UserError

from .full_precision import full_precision
from .inputs import check_features
from .similarity import TIE, FeatureSimilarity, order_rows
from .tiles import default_budget

_ROWS_AT_ONCE = 256
"""Queries expanded at a time at most: enough for a quick product, few enough for many ranks."""


def expand_queries(
    query_feats: Tensor | np.ndarray,
    gallery_feats: Tensor | np.ndarray,
    *,
    num_neighbors: int = 5,
    alpha: float = 0.0,
    memory_budget: int | None = None,
    distributed: bool = False,
) -> Tensor:
    r"""Average each query with its nearest gallery images (AQE, alpha-QE).

    .. math:: q' = \frac{x}{|x|}, \qquad x = q + \sum_{i=1}^{n} \max(\cos(q, g_i), 0)^\alpha g_i

    on L2-normalised features. ``alpha = 0`` is average query expansion: the plain mean of the query
    and its ``n`` neighbours. Greater ``alpha`` trusts far neighbours less.

    Args:
        query_feats: Shape (Q, D), any floating type.
        gallery_feats: Shape (G, D), same device.
        num_neighbors: ``n``, at least 1; a smaller gallery is taken whole.
        alpha: Power of the similarity, ``>= 0``; 3 in the paper.
        memory_budget: Working memory in bytes. Defaults to 64 MiB on a CPU, 1 GiB elsewhere.
        distributed: All ranks hold the same features and expand a share each; all return the same.

    Returns:
        float32, shape (Q, D), L2-normalised; use it in place of the queries. It is computed in
        float64, with neighbours at equal cosine (rounded to multiples of 2**-40) in order of index,
        so neither the type of the features nor the budget changes it.

    Raises:
        ValueError: For parameters out of range, NaN, or features that do not fit together.

    Papers: Chum et al., "Total recall", ICCV 2007, https://doi.org/10.1109/ICCV.2007.4408891;
    Radenovic et al., TPAMI 2019, https://arxiv.org/abs/1711.02512 (alpha).
    """
    if num_neighbors < 1 or not alpha >= 0:
        raise UserError(
            f"expand_queries: num_neighbors={num_neighbors} must be at least 1, "
            f"and alpha={alpha} at least 0."
        )
    query, gallery = check_features(query_feats, gallery_feats)
    if len(gallery) == 0:
        raise UserError("gallery_feats is empty: there is nothing to expand a query with.")
    budget = default_budget(gallery.device) if memory_budget is None else memory_budget
    number = min(num_neighbors, len(gallery))
    result = torch.empty(query.shape, dtype=torch.float32, device=query.device)
    if len(query) == 0:
        return result
    with full_precision(gallery.device):
        similarity = FeatureSimilarity(query, gallery, "cosine", memory_budget=budget)
        shape = similarity.shape
        rank, world_size = ranks_sharing(distributed)
        blocks = dealt_blocks(len(query), min(shape.rows, _ROWS_AT_ONCE), world_size)
        with agreed("query expansion", distributed):
            for rows in (slice(a, b) for a, b, owner in blocks if owner == rank):
                asking = torch.arange(rows.start, rows.stop, device=query.device)
                scores, index = _nearest(similarity, asking, number, shape.double_cols)
                total = query[rows] * similarity.a[rows, None]
                for score, images in zip(scores.T, index.T, strict=True):
                    weight = score.clamp(min=0).pow(alpha) * similarity.b[images]
                    total += weight[:, None] * gallery[images]
                result[rows] = normalize(total).float()
    return fill_in(result, blocks, distributed)


def _nearest(
    similarity: FeatureSimilarity, rows: Tensor, number: int, cols: int
) -> tuple[Tensor, Tensor]:
    """Find scores and numbers of the nearest images, (B, n) each, in the order of `order_rows`."""
    best = torch.zeros((len(rows), 0), dtype=torch.float64, device=rows.device)
    index = torch.zeros((len(rows), 0), dtype=torch.int64, device=rows.device)
    for start in range(0, len(similarity), cols):
        stop = min(start + cols, len(similarity))
        scores, places = _candidates(similarity.double_tile(rows, start, stop), number)
        best, index = torch.cat([best, scores], 1), torch.cat([index, places + start], 1)
        order = order_rows(best, number)
        best, index = best.gather(1, order), index.gather(1, order)
    return best, index


def _candidates(scores: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Find the greatest scores of each row and all that may tie with the last, by column."""
    last = scores.topk(min(number, scores.shape[1]), dim=1).values[:, -1:]
    # scores that round to one multiple of 2**-40 are no further apart than that; twice to be safe
    width = int((scores >= last - 2 * TIE).sum(dim=1).max())
    places = scores.topk(width, dim=1).indices.sort(dim=1).values
    return scores.gather(1, places), places
