"""Compute metrics of metric learning: R-precision, MAP@R, NMI.

Shapes: N images, D numbers per feature, Q queries, G gallery images, B queries of one chunk, K the
greatest number of matches of a query in it.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.errors import MissingPackageError, UserError, warn_user

from .full_precision import full_precision
from .inputs import as_features
from .norms import row_norms, with_zero_direction
from .settings import DISTANCES
from .similarity import FeatureSimilarity

NMI_LIMIT = 20_000
_TILE = 4096  # gallery rows converted to float64 at once


def embedding_metrics(
    feats: Tensor | np.ndarray,
    pids: np.ndarray,
    is_query: np.ndarray | None = None,
    *,
    nmi: bool | None = None,
    distance: str = "cosine",
    chunk_size: int = 256,
) -> dict[str, float]:
    """Compute R-precision, MAP@R and NMI of embeddings.

    Every image is searched among all others, or the queries among the rest. With ``R`` images of
    the query's identity there and ``rel_k`` telling whether answer ``k`` is one: R-precision is
    ``sum_{k<=R} rel_k / R``; MAP@R is ``sum_{k<=R} rel_k precision@k / R``, so unlike AP it looks
    no further than rank ``R``. Images without a match are no queries.
    Scores and ties are those of :func:`~mmreid_ext.evaluation.evaluate_retrieval`: float64, an
    answer that is not a match comes first, and a zero embedding has cosine 0 with every other.
    NMI clusters what is compared: L2-normalised embeddings for the cosine, else unchanged ones.

    Musgrave, Belongie and Lim, "A Metric Learning Reality Check", ECCV 2020,
    https://arxiv.org/abs/2003.08505.

    Args:
        feats: Shape (N, D), any floating type.
        pids: Shape (N,).
        is_query: Mask of the queries, shape (N,); the others are the gallery. None: every image is
            searched among all others.
        nmi: Whether to compute NMI; None: up to 20,000 images, if scikit-learn is installed.
        distance: ``'cosine'`` or ``'euclidean'``.
        chunk_size: Queries ranked at a time; bounds memory to ``chunk_size * N`` numbers.

    Returns:
        Fractions: ``R-precision``, ``MAP@R`` and, if computed, ``NMI``.

    Raises:
        ValueError: Unknown distance, or no query has a match.
        ImportError: ``nmi=True`` without scikit-learn.
    """
    if distance not in DISTANCES:
        raise UserError(
            f"embedding_metrics: distance={distance!r} must be 'cosine' or 'euclidean'."
        )
    feats = as_features(feats, "feats")
    labels = torch.from_numpy(np.unique(pids, return_inverse=True)[1].reshape(-1)).to(feats.device)
    queries, gallery = _sides(len(feats), is_query, feats.device)
    in_gallery = torch.bincount(labels[gallery], minlength=len(labels)) - int(is_query is None)
    matches = in_gallery[labels[queries]]  # (Q,)
    if not (matches > 0).any():
        raise UserError(f"None of the {len(pids)} images has another one of its identity to find.")
    searched = feats if is_query is None else feats[gallery]
    asking = feats if is_query is None else feats[queries]
    parts = []
    with full_precision(feats.device):
        similarity = FeatureSimilarity(asking, searched, distance)
        for rows in (matches > 0).nonzero().flatten().split(chunk_size):
            same = labels[queries[rows], None] == labels[gallery]
            scores = _thresholds(similarity, rows, same)
            scores[queries[rows, None] == gallery] = -torch.inf  # the query itself
            parts.append(_precisions(scores, same, matches[rows]))
    r_precision, map_at_r = torch.cat(parts, dim=1)
    metrics = {"R-precision": float(r_precision.mean()), "MAP@R": float(map_at_r.mean())}
    if nmi is None:
        nmi = len(feats) <= NMI_LIMIT and _has_scikit_learn()
    if nmi:
        clustered = torch.from_numpy(on_sphere(feats)) if distance == "cosine" else feats
        metrics["NMI"] = normalized_mutual_information(clustered, pids)
    return metrics


def _sides(number: int, is_query: np.ndarray | None, device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows of the queries and of the gallery; all of them on both sides if ``is_query`` is None."""
    asked = np.ones(number, dtype=bool) if is_query is None else np.asarray(is_query)
    searched = asked if is_query is None else ~asked
    queries, gallery = (torch.from_numpy(np.flatnonzero(mask)) for mask in (asked, searched))
    return queries.to(device), gallery.to(device)


def _precisions(scores: Tensor, same: Tensor, number: Tensor) -> Tensor:
    """Compute R-precision and MAP@R of some queries, (2, B).

    Args:
        scores: See :func:`_thresholds`, (B, G).
        same: Whether an image shows the query's identity, (B, G).
        number: Matches of each query, (B,), at least 1.
    """
    ranks = _match_ranks(scores, same, int(number.max()))  # (B, K)
    found = torch.arange(1, ranks.shape[1] + 1, device=scores.device)
    counted = (ranks <= number[:, None]).double()
    map_at_r = (counted * found / ranks).sum(dim=1) / number
    return torch.stack([counted.sum(dim=1) / number, map_at_r])


def _thresholds(similarity: FeatureSimilarity, rows: Tensor, same: Tensor) -> Tensor:
    """Score some queries in float64, (B, G); a match gets its score less what ties with it."""
    size = len(similarity)
    starts = range(0, size, _TILE)
    tiles = [similarity.double_tile(rows, start, min(start + _TILE, size)) for start in starts]
    scores = torch.cat(tiles, dim=1)
    row, col = same.nonzero(as_tuple=True)
    scores[row, col] -= similarity.ties(rows[row], col)
    return scores


def on_sphere(feats: Tensor | np.ndarray) -> np.ndarray:
    """L2-normalise embeddings, for algorithms that compare them by Euclidean distance.

    Args:
        feats: Shape (N, D), any floating type.

    Returns:
        float32, shape (N, D), or (N, D + 1) where there are zero embeddings.
    """
    feats = as_features(feats, "feats")
    norms = row_norms(feats, "feats")
    units = with_zero_direction(feats, norms) / norms.where(norms > 0, 1.0)[:, None]
    return units.float().cpu().numpy()


def _has_scikit_learn() -> bool:
    found = find_spec("sklearn") is not None
    if not found:
        warn_user(
            "NMI is left out: `pip install scikit-learn` for it, or nmi=False in the protocol."
        )
    return found


def _match_ranks(similarity: Tensor, same: Tensor, depth: int) -> Tensor:
    """Find the ranks of the ``depth`` nearest matches of every query, ascending, (B, depth).

    Exact up to ``depth``. Later ranks, and those of matches that don't exist, are greater.
    """
    depth = min(depth, similarity.shape[1])
    matches = similarity.masked_fill(~same, -torch.inf).topk(depth, dim=1).values
    negatives = similarity.masked_fill(same, -torch.inf).topk(depth, dim=1).values
    # Number of negatives at least as near: position in the descending list.
    ahead = torch.searchsorted(-negatives, -matches, right=True)
    return ahead + torch.arange(1, depth + 1, device=similarity.device)


def normalized_mutual_information(
    feats: Tensor | np.ndarray, pids: np.ndarray, seed: int = 0
) -> float:
    """Compute NMI between identities and as many k-means clusters of the embeddings.

    ``NMI = 2 I(identity; cluster) / (H(identity) + H(cluster))``.

    Args:
        feats: Shape (N, D), any floating type, clustered unchanged, in float32.
        pids: Shape (N,).
        seed: Of k-means.

    Returns:
        In [0, 1].

    Raises:
        ImportError: If scikit-learn isn't installed.
    """
    try:
        from sklearn.cluster import KMeans
        from sklearn.metrics import normalized_mutual_info_score
    except ImportError as error:
        raise MissingPackageError(
            "NMI needs scikit-learn: `pip install scikit-learn`, or set nmi=False in the protocol."
        ) from error
    # float32 whatever the type: k-means may end elsewhere in another precision
    points = as_features(feats, "feats").float().cpu().numpy()
    clusters = KMeans(len(np.unique(pids)), n_init=1, random_state=seed).fit_predict(points)
    return float(normalized_mutual_info_score(pids, clusters))
