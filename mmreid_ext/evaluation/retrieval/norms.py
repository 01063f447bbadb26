"""Norms of features in float64, and what is said of the strange ones."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten

_SHORTEST, _LONGEST = 1e-100, 1e100  # norms whose squares and inverses float64 can hold
_OUTLIER = 100  # times the median norm


def row_norms(feats: Tensor, name: str, numbers: Tensor | None = None, block: int = 256) -> Tensor:
    """Euclidean norms of rows in float64.

    Args:
        feats: Shape (N, D), any floating type.
        name: What the error calls them.
        numbers: What the error calls the rows, (N,), where they are a part of what the caller gave.
        block: Rows converted at a time.

    Returns:
        float64, shape (N,).

    Raises:
        ValueError: Where a feature is NaN or infinite, or of a norm outside [1e-100, 1e100] that
            isn't 0, naming the rows.
    """
    norms = feats.new_empty(len(feats), dtype=torch.float64)
    # one buffer for all blocks: copies made anew each leave a hole that the next doesn't fit
    wide = feats.new_empty((min(block, len(feats)), feats.shape[1]), dtype=torch.float64)
    for part, out in zip(feats.split(block), norms.split(block), strict=True):
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
    """How many rows, what is said of them, and the first five."""
    shown = shorten((rows if numbers is None else numbers[rows]).tolist())
    return f"{len(rows)} of {len(all_rows)} rows {what} (first: {shown})"


def warn_of_outliers(name: str, norms: Tensor, median: float, numbers: Tensor | None) -> None:
    """Say which rows are so long that figures over all distances lose their resolution."""
    rows = (norms > _OUTLIER * median).nonzero().flatten()
    if len(rows) and median > 0:
        times = norms.max().item() / median
        what = f"are up to {times:.2g} times as long as the median embedding"
        warnings.warn(
            f"{name}: {_some(rows, norms, numbers, what)}. "
            "Ranks by Euclidean distance stay exact. TPR@FPR, the ROC curve and histograms "
            "divide the range up to the greatest distance, so they become coarse; "
            "look for the cause in the model, or use distance='cosine'.",
            stacklevel=3,
        )


def with_zero_direction(feats: Tensor, norms: Tensor) -> Tensor:
    """Give zero features a direction of their own, where there are any: one dimension more.

    So they have cosine 0 with all others also where features are compared by the Euclidean distance
    of their normalised forms. The zero vector itself would lie as near as cosine 1/2.

    Args:
        feats: Shape (N, D), any floating type.
        norms: Their norms, (N,).

    Returns:
        ``feats`` itself, or shape (N, D + 1).
    """
    zero = norms == 0
    return torch.cat([feats, zero[:, None].to(feats.dtype)], 1) if zero.any() else feats
