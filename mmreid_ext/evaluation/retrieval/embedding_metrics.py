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
from mmreid_ext.evaluation.from_disk.disk_features import DiskFeatures, chosen_rows, in_memory

from .full_precision import full_precision
from .inputs import as_features
from .norms import row_norms, with_zero_direction
from .settings import DISTANCES
from .similarity import FeatureSimilarity

NMI_LIMIT = 20_000
_TILE = 4096  # gallery rows scored at once


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
        feats: Shape (N, D), any floating type. Features on disk are read tile by tile, and as a
            whole for NMI, see :func:`require_clustering_fits`.
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
    require_clustering_fits(feats, len(feats), nmi)
    labels = torch.from_numpy(np.unique(pids, return_inverse=True)[1].reshape(-1)).to(feats.device)
    queries, gallery = _sides(len(feats), is_query, feats.device)
    in_gallery = torch.bincount(labels[gallery], minlength=len(labels)) - int(is_query is None)
    matches = in_gallery[labels[queries]]  # (Q,)
    if not (matches > 0).any():
        raise UserError(f"None of the {len(pids)} images has another one of its identity to find.")
    searched = feats if is_query is None else chosen_rows(feats, gallery)
    asking = feats if is_query is None else chosen_rows(feats, queries)
    parts = []
    with full_precision(feats.device):
        similarity = FeatureSimilarity(asking, searched, distance)
        for rows in (matches > 0).nonzero().flatten().split(chunk_size):
            depth = int(matches[rows].max())
            nearest = _nearest(similarity, rows, queries[rows], gallery, labels, depth)
            parts.append(_precisions(nearest, matches[rows]))
    r_precision, map_at_r = torch.cat(parts, dim=1)
    metrics = {"R-precision": float(r_precision.mean()), "MAP@R": float(map_at_r.mean())}
    if nmi is None:
        nmi = len(feats) <= NMI_LIMIT and _has_scikit_learn()
    if nmi:
        whole = in_memory(feats)
        clustered = torch.from_numpy(on_sphere(whole)) if distance == "cosine" else whole
        metrics["NMI"] = normalized_mutual_information(clustered, pids)
    return metrics


def require_clustering_fits(feats: Tensor | DiskFeatures, count: int, nmi: bool | None) -> None:
    """Refuse NMI of so many features on disk: k-means needs all of them in memory.

    Args:
        feats: Where they are.
        count: How many of them are clustered.
        nmi: See :func:`embedding_metrics`.

    Raises:
        UserError: If NMI is asked for, the features are on disk and more than 20,000.
    """
    if nmi and isinstance(feats, DiskFeatures) and count > NMI_LIMIT:
        raise UserError(
            f"NMI: nmi=True for {count:,} embeddings on disk, which clustering needs in memory; at "
            f"most {NMI_LIMIT:,} are read. Set nmi=False in the protocol, or evaluate an .npz file."
        )


def _sides(number: int, is_query: np.ndarray | None, device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows of the queries and of the gallery; all of them on both sides if ``is_query`` is None."""
    asked = np.ones(number, dtype=bool) if is_query is None else np.asarray(is_query)
    searched = asked if is_query is None else ~asked
    queries, gallery = (torch.from_numpy(np.flatnonzero(mask)) for mask in (asked, searched))
    return queries.to(device), gallery.to(device)


def _precisions(nearest: Tensor, number: Tensor) -> Tensor:
    """Compute R-precision and MAP@R of some queries, (2, B).

    Args:
        nearest: See :func:`_nearest`, (2, B, K).
        number: Matches of each query, (B,), at least 1.
    """
    negatives, matches = nearest
    found = torch.arange(1, matches.shape[1] + 1, device=matches.device)
    # Number of negatives at least as near: position in the descending list.
    ranks = torch.searchsorted(-negatives, -matches, right=True) + found  # (B, K)
    counted = (ranks <= number[:, None]).double()
    map_at_r = (counted * found / ranks).sum(dim=1) / number
    return torch.stack([counted.sum(dim=1) / number, map_at_r])


def _nearest(
    similarity: FeatureSimilarity,
    rows: Tensor,
    queries: Tensor,
    gallery: Tensor,
    labels: Tensor,
    depth: int,
) -> Tensor:
    """Find the scores of the nearest negatives and of the nearest matches, (2, B, depth).

    They are float64, descending, minus infinity where there are fewer; a match has its score less
    what ties with it. Reads one tile of the gallery after another.

    Args:
        similarity: Of the queries and the gallery.
        rows: Queries, (B,): their rows in it.
        queries: Their images, (B,).
        gallery: Images of the gallery, (G,).
        labels: Identities of all images, (N,).
        depth: How many of each.
    """
    shape = (2, len(rows), depth)
    best = torch.full(shape, -torch.inf, dtype=torch.float64, device=similarity.device)
    for start in range(0, len(similarity), _TILE):
        images = gallery[start : start + _TILE]
        scores = similarity.double_tile(rows, start, start + len(images))
        same = labels[queries, None] == labels[images]
        row, col = same.nonzero(as_tuple=True)
        scores[row, col] -= similarity.ties(rows[row], col + start)
        scores[queries[:, None] == images] = -torch.inf  # the query itself
        for kept, others in zip(best, (same, ~same), strict=True):
            both = torch.cat([kept, scores.masked_fill(others, -torch.inf)], dim=1)
            kept[:] = both.topk(depth, dim=1).values
    return best


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
