"""Query expansion: a query joined with what it finds first."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from mmreid_ext.errors import UserError

from .full_precision import full_precision
from .memory import default_budget, tile_shape
from .retrieval_inputs import check_features


def expand_queries(
    query_feats: Tensor | np.ndarray,
    gallery_feats: Tensor | np.ndarray,
    *,
    num_neighbors: int = 5,
    alpha: float = 0.0,
    memory_budget: int | None = None,
) -> Tensor:
    r"""Average each query with its nearest gallery images (AQE, alpha-QE).

    .. math:: q' = \frac{x}{|x|}, \qquad x = q + \sum_{i=1}^{n} \max(\cos(q, g_i), 0)^\alpha g_i

    on L2-normalised features. ``alpha = 0`` is average query expansion: the plain mean of the query
    and its ``n`` neighbours. Greater ``alpha`` trusts far neighbours less.

    Args:
        query_feats: Shape (Q, D), any floating type.
        gallery_feats: Shape (G, D), same device.
        num_neighbors: ``n``, at least 1; all of the gallery where it is smaller.
        alpha: Power of the similarity, ``>= 0``; 3 in the paper.
        memory_budget: Working memory in bytes. Defaults to 64 MiB on a CPU, 1 GiB elsewhere.

    Returns:
        float32, shape (Q, D), L2-normalised; use it in place of the queries.

    Raises:
        ValueError: For parameters out of range or features that do not fit together.

    Papers: Chum et al., "Total recall", ICCV 2007, https://doi.org/10.1109/ICCV.2007.4408891;
    Radenovic et al., TPAMI 2019, https://arxiv.org/abs/1711.02512 (alpha).
    """
    if num_neighbors < 1 or not alpha >= 0:
        raise UserError(
            f"num_neighbors={num_neighbors} must be at least 1, and alpha={alpha} at least 0"
        )
    query, gallery = check_features(query_feats, gallery_feats)
    if len(gallery) == 0:
        raise UserError("gallery_feats is empty: there is nothing to expand a query with")
    budget = memory_budget if memory_budget is not None else default_budget(gallery.device)
    shape = tile_shape(budget, gallery.shape[1])
    with full_precision(gallery.device):
        parts = [
            _expand(
                normalize(rows.float()),
                gallery,
                min(num_neighbors, len(gallery)),
                alpha,
                shape.cols,
            )
            for rows in query.split(shape.rows)
        ]
    return torch.cat(parts) if parts else query.float()


def _expand(query: Tensor, gallery: Tensor, number: int, alpha: float, cols: int) -> Tensor:
    """Expanded queries of one chunk; neighbours are gathered block by block of the gallery."""
    best = query.new_full((len(query), 0), 0.0)
    index = torch.zeros((len(query), 0), dtype=torch.int64, device=query.device)
    for start in range(0, len(gallery), cols):
        block = gallery[start : start + cols].float()
        scores = (query @ block.T).div_(block.norm(dim=1).clamp_(min=1e-12))
        scores, at = scores.topk(min(number, len(block)), dim=1)
        best, order = torch.cat([best, scores], 1).sort(dim=1, descending=True, stable=True)
        index = torch.cat([index, at + start], 1).gather(1, order)[:, :number]
        best = best[:, :number]
    total = query.clone()
    for scores, images in zip(best.T, index.T, strict=True):
        total += scores.clamp(min=0).pow(alpha)[:, None] * normalize(gallery[images].float())
    return normalize(total)
