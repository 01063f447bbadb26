"""Find the gallery embeddings that are nearest to each query, exactly.

Shapes: Q queries, G gallery images, D numbers per embedding, B queries of one chunk, P pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.full_precision import full_precision
from mmreid_ext.evaluation.retrieval.inputs import check_features
from mmreid_ext.evaluation.retrieval.similarity import FeatureRows, FeatureSimilarity

Progress = Callable[[str, int, int], None]


class Nearest(NamedTuple):
    """The nearest gallery images of every query, best first.

    Attributes:
        indices: Rows of the gallery, (Q, k), int64; k is at most G.
        similarities: Their cosines, (Q, k), float64.
    """

    indices: np.ndarray
    similarities: np.ndarray


class _Pairs(NamedTuple):
    """Pairs of a query and a gallery image, with their float64 score; each of shape (P,)."""

    rows: Tensor
    columns: Tensor
    scores: Tensor


def nearest(
    query: Tensor | np.ndarray,
    gallery: Tensor | np.ndarray,
    topk: int = 10,
    *,
    memory_budget: int | None = None,
    progress: Progress | None = None,
) -> Nearest:
    """Find the ``topk`` gallery embeddings of the greatest cosine to each query.

    float32 products only leave out what can't be among them; float64 scores decide. So the result
    doesn't depend on the size of the blocks. Equal scores follow in order of gallery row.

    Args:
        query: Shape (Q, D), floating.
        gallery: Shape (G, D), on the same device.
        topk: Length of the lists; a shorter gallery gives shorter ones. Defaults to 10.
        memory_budget: Bytes of working memory; None: 64 MiB on a CPU, or a sixth of the inputs.
        progress: Called with ('search', done, in all) after each chunk of queries.

    Raises:
        UserError: If ``topk`` is below 1, or the embeddings don't fit together or aren't finite.

    Example:
        >>> found = nearest(np.eye(3), np.eye(3)[[2, 0]], topk=1)
        >>> found.indices.tolist()
        [[1], [0], [0]]
    """
    if not isinstance(topk, int) or topk < 1:
        raise UserError(f"nearest: topk={topk!r}, must be a whole number of at least 1.")
    query, gallery = check_features(query, gallery)
    k = min(topk, len(gallery))
    columns, scores = [query.new_empty(0, k, dtype=torch.int64)], [query.new_empty(0, k).double()]
    with full_precision(gallery.device):
        similarity = FeatureSimilarity(query, gallery, "cosine", memory_budget=memory_budget)
        everyone = torch.arange(len(query), device=query.device)
        for chunk in everyone.split(similarity.shape.rows) if k else ():
            best = _nearest_of(similarity.rows(chunk), k, similarity.shape.cols)
            columns.append(best.columns.view(-1, k))
            scores.append(best.scores.view(-1, k))
            if progress is not None:
                progress("search", int(chunk[-1]) + 1, len(query))
    if not k:
        empty = np.zeros((len(query), 0))
        return Nearest(empty.astype(np.int64), empty)
    return Nearest(torch.cat(columns).cpu().numpy(), torch.cat(scores).cpu().numpy())


def cosine(a: Tensor, b: Tensor) -> list[float]:
    """Return the cosine of each row of ``a`` and the same row of ``b``, as :func:`nearest` does.

    Args:
        a: Shape (N, D), floating.
        b: The same.
    """
    rows = torch.arange(len(a), device=a.device)
    return FeatureSimilarity(*check_features(a, b), "cosine").pairs(rows, rows).tolist()


def _nearest_of(chunk: FeatureRows, k: int, width: int) -> _Pairs:
    """The ``k`` best pairs of each query of a chunk, in order of query and rank."""
    gallery = len(chunk.similarity)
    none = torch.zeros(0, dtype=torch.int64, device=chunk.device)
    best = _Pairs(none, none, none.double())
    for start in range(0, gallery, width):
        tile = chunk.tile(start, min(start + width, gallery))
        rows, columns = (tile >= _floor(tile, best, k, chunk.tolerance)[:, None]).nonzero().T
        found = _Pairs(rows, columns + start, chunk.pairs(rows, columns + start))
        best = _first(_Pairs(*map(torch.cat, zip(best, found, strict=True))), k, len(chunk))
    return best


def _floor(tile: Tensor, best: _Pairs, k: int, tolerance: float) -> Tensor:
    """float32 scores below which no pair of a tile is among the ``k`` best, (B,)."""
    floor = tile.new_full((len(tile),), -torch.inf)
    if tile.shape[1] >= k:  # k pairs of the tile have at least this score less the error of one
        floor = tile.topk(k, dim=1)[0][:, -1] - 2 * tolerance
    if len(best.rows) == len(tile) * k:  # later columns lose ties, so they must be above
        floor = floor.maximum(best.scores.view(-1, k)[:, -1].float() - 2 * tolerance)
    return floor


def _first(pairs: _Pairs, k: int, count: int) -> _Pairs:
    """The ``k`` best pairs of each query; equal scores stay in the order given."""
    by_score = pairs.scores.argsort(descending=True, stable=True)
    order = by_score[pairs.rows[by_score].argsort(stable=True)]
    sizes = pairs.rows.bincount(minlength=count)
    firsts = (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
    ranks = torch.arange(len(order), device=order.device) - firsts
    kept = order[ranks < k]
    return _Pairs(pairs.rows[kept], pairs.columns[kept], pairs.scores[kept])
