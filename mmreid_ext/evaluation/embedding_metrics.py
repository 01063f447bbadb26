"""Metric-learning figures of embeddings: R-precision, MAP@R, NMI."""

from __future__ import annotations

import warnings
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.errors import MissingPackageError, UserError

from .similarity import TIE

NMI_LIMIT = 20_000


def embedding_metrics(
    feats: Tensor,
    pids: np.ndarray,
    is_query: np.ndarray | None = None,
    *,
    nmi: bool | None = None,
    distance: str = "cosine",
    chunk_size: int = 256,
) -> dict[str, float]:
    """R-precision, MAP@R and NMI of embeddings.

    Every image is searched among all others, or the queries among the rest. With ``R`` images of
    the query's identity there and ``rel_k`` telling whether answer ``k`` is one: R-precision is
    ``sum_{k<=R} rel_k / R``; MAP@R is ``sum_{k<=R} rel_k precision@k / R``, so unlike AP it looks
    no further than rank ``R``. Images without a match are no queries.
    Ties: an answer that is not a match comes first.

    Musgrave, Belongie and Lim, "A Metric Learning Reality Check", ECCV 2020,
    https://arxiv.org/abs/2003.08505.

    Args:
        feats: Shape (N, D).
        pids: Shape (N,).
        is_query: Mask of the queries, shape (N,); the others are the gallery. None: every image is
            searched among all others.
        nmi: Whether to compute NMI; None does so up to 20,000 images, if scikit-learn is there.
        distance: ``'cosine'`` or ``'euclidean'``.
        chunk_size: Queries ranked at a time; bounds memory to ``chunk_size * N`` numbers.

    Returns:
        Fractions: ``R-precision``, ``MAP@R`` and, if computed, ``NMI``.

    Raises:
        ValueError: Unknown distance, or no query has a match.
        ImportError: ``nmi=True`` without scikit-learn.
    """
    if distance not in ("cosine", "euclidean"):
        raise UserError(f"distance must be 'cosine' or 'euclidean', got {distance!r}.")
    # float64, so that equal images tie whatever their place in a matrix product
    searched = feats.double()
    if distance == "cosine":
        searched = torch.nn.functional.normalize(searched)
    labels = torch.from_numpy(np.unique(pids, return_inverse=True)[1].reshape(-1)).to(feats.device)
    alone = is_query is None
    queries = np.arange(len(feats)) if alone else np.flatnonzero(is_query)
    gallery = queries if alone else np.flatnonzero(~np.asarray(is_query))
    queries, gallery = (torch.from_numpy(rows).to(feats.device) for rows in (queries, gallery))
    counts = torch.bincount(labels[gallery], minlength=len(labels)) - int(alone)
    matches = counts[labels]
    if not (matches[queries] > 0).any():
        raise UserError(f"None of the {len(pids)} images has another one of its identity to find.")
    searched_gallery = searched if alone else searched[gallery]
    half_norms = 0.5 * searched_gallery.square().sum(dim=1)
    r_precision, map_at_r = [], []
    for rows in queries.split(chunk_size):
        rows = rows[matches[rows] > 0]
        if len(rows):
            # The order of the Euclidean distance; normalised features have equal norms.
            similarity = searched[rows] @ searched_gallery.T - half_norms
            similarity[rows[:, None] == gallery] = -torch.inf  # the query itself
            same = labels[rows, None] == labels[gallery]
            tie = TIE * (1 + half_norms.max())
            ranks = _match_ranks(similarity, same, int(matches[rows].max()), tie)
            found = torch.arange(1, ranks.shape[1] + 1, device=feats.device)
            counted = (ranks <= matches[rows, None]).double()
            r_precision.append(counted.sum(dim=1) / matches[rows])
            map_at_r.append((counted * found / ranks).sum(dim=1) / matches[rows])
    figures = {
        "R-precision": float(torch.cat(r_precision).mean()),
        "MAP@R": float(torch.cat(map_at_r).mean()),
    }
    if nmi is None:
        nmi = len(feats) <= NMI_LIMIT and _has_scikit_learn()
    if nmi:
        figures["NMI"] = normalized_mutual_information(feats, pids)
    return figures


def _has_scikit_learn() -> bool:
    found = find_spec("sklearn") is not None
    if not found:
        warnings.warn(
            "NMI is left out: `pip install scikit-learn` for it, or nmi=False in the protocol.",
            stacklevel=3,
        )
    return found


def _match_ranks(similarity: Tensor, same: Tensor, depth: int, tie: Tensor) -> Tensor:
    """Ranks of the ``depth`` nearest matches of every query, ascending, (len(similarity), depth).

    Exact up to ``depth``; later ranks, and those of matches that don't exist, are greater.
    """
    depth = min(depth, similarity.shape[1])
    matches = similarity.masked_fill(~same, -torch.inf).topk(depth, dim=1).values
    wrong = similarity.masked_fill(same, -torch.inf).topk(depth, dim=1).values
    # Number of wrong answers at least as near: position in the descending list.
    ahead = torch.searchsorted(-wrong, tie - matches, right=True)
    return ahead + torch.arange(1, depth + 1, device=similarity.device)


def normalized_mutual_information(feats: Tensor, pids: np.ndarray, seed: int = 0) -> float:
    """NMI between identities and k-means clusters of the embeddings, as many as identities.

    ``NMI = 2 I(identity; cluster) / (H(identity) + H(cluster))``.

    Args:
        feats: Shape (N, D), clustered as they are.
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
    clusters = KMeans(len(np.unique(pids)), n_init=1, random_state=seed).fit_predict(
        feats.cpu().numpy()
    )
    return float(normalized_mutual_info_score(pids, clusters))
