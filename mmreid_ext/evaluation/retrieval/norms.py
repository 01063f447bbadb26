"""Compute norms of features in float64, and name the rows that are out of range.

Shapes: N rows, D numbers per feature.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmreid_ext.errors import UserError, warn_user
from mmreid_ext.evaluation.from_disk.disk_features import DiskFeatures
from mmreid_ext.shorten import shorten

_SHORTEST, _LONGEST = 1e-100, 1e100
"""Norms between these have squares and inverses far inside float64's 1e-308 to 1e308."""

_OUTLIER = 100
"""Times the median norm. Beyond, ordinary pairs share about 50 of the 2**17 bins of a histogram."""

_ROWS_AT_ONCE = 256
"""Rows converted to float64 at a time: 4 MiB for 2,048 dimensions."""


def row_norms(feats: Tensor, name: str, numbers: Tensor | None = None) -> Tensor:
    """Compute the Euclidean norm of every row in float64.

    Args:
        feats: Shape (N, D), any floating type.
        name: What the error calls them.
        numbers: What the error calls the rows, (N,). None: their positions.

    Returns:
        float64, shape (N,).

    Raises:
        ValueError: If a feature is NaN or infinite, or has a norm outside [1e-100, 1e100] that is
            not 0. The message names the rows.
    """
    norms = feats.new_empty(len(feats), dtype=torch.float64)
    # One buffer for all blocks: a fresh copy of each would leave holes that the next doesn't fit.
    shape = (min(_ROWS_AT_ONCE, len(feats)), feats.shape[1])
    wide = feats.new_empty(shape, dtype=torch.float64)
    for part, out in zip(feats.split(_ROWS_AT_ONCE), norms.split(_ROWS_AT_ONCE), strict=True):
        torch.linalg.vector_norm(wide[: len(part)].copy_(part), dim=1, out=out)
    strange = (~(norms <= _LONGEST)).nonzero().flatten()  # NaN among them
    bad = strange[~feats[strange].isfinite().all(dim=1)]
    if len(bad):
        raise UserError(
            f"{name}: {_some(bad, norms, numbers, 'hold NaN or infinite values')}; "
            "a ranking of them means nothing, look for the cause in the model."
        )
    few = (norms < _SHORTEST).nonzero().flatten()
    short = few[(feats[few] != 0).any(dim=1)]
    if len(strange) or len(short):
        what = f"have a norm outside [{_SHORTEST:g}, {_LONGEST:g}]"
        raise UserError(
            f"{name}: {_some(torch.cat([strange, short]), norms, numbers, what)}, "
            "where float64 has no squares; divide all of them by one number."
        )
    return norms


def _some(rows: Tensor, all_rows: Tensor, numbers: Tensor | None, what: str) -> str:
    """Say how many rows there are, what is said of them, and which are the first five."""
    shown = shorten((rows if numbers is None else numbers[rows]).tolist())
    return f"{len(rows)} of {len(all_rows)} rows {what} (first: {shown})"


def warn_of_outliers(query: Tensor, gallery: Tensor, numbers: Tensor | None) -> None:
    """Warn of rows so long that metrics over all distances lose their resolution.

    Args:
        query: Norms of the queries, (Q,).
        gallery: Norms of the gallery, (G,); the same object as ``query`` if they are one set.
        numbers: What the warning calls the rows of the gallery, (G,). None: their positions.
    """
    norms = torch.cat([query, gallery])
    median = norms.median().item() if len(norms) else 0.0
    _warn_of_outliers("query_feats", query, median, None)
    if gallery is not query:
        _warn_of_outliers("gallery_feats", gallery, median, numbers)


def _warn_of_outliers(name: str, norms: Tensor, median: float, numbers: Tensor | None) -> None:
    rows = (norms > _OUTLIER * median).nonzero().flatten()
    if len(rows) and median > 0:
        times = norms.max().item() / median
        what = f"are up to {times:.2g} times as long as the median embedding"
        warn_user(
            f"{name}: {_some(rows, norms, numbers, what)}. "
            "Ranks by Euclidean distance stay exact. TPR@FPR, the ROC curve and histograms "
            "divide the range up to the greatest distance, so they become coarse; "
            "look for the cause in the model, or use distance='cosine'."
        )


def with_zero_direction(feats: Any, norms: Tensor) -> Any:
    """Give zero features a direction of their own, one dimension more, if there are any.

    They then have cosine 0 with all others, also where normalised features are compared by their
    Euclidean distance. The zero vector itself would lie as near as cosine 1/2.

    Args:
        feats: Shape (N, D), any floating type, in memory or on disk.
        norms: Their norms, (N,).

    Returns:
        ``feats`` itself, or shape (N, D + 1).
    """
    zero = norms == 0
    if not zero.any():
        return feats
    if isinstance(feats, DiskFeatures):
        return feats.with_column(zero.cpu().numpy())
    return torch.cat([feats, zero[:, None].to(feats.dtype)], 1)
