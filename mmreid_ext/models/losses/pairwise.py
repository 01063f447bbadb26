"""Compute distances between rows and find hard pairs, for all losses.

Shapes: N anchors, M keys, D dimensions of a feature.

Hard pairs are *found* in the full distance matrix without recording gradients, then only the found
distances are computed again, exactly and differentiably. That saves the B x B x D products of the
backward pass and makes the distance of a row to itself exactly zero, with zero gradient.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# The strong baseline clamps squared distances here before the root; sqrt' is infinite at 0.
MIN_SQUARED_DISTANCE = 1e-12
# Shorter rows count as zero rows. Second derivatives divide by norm**3: 1e36 still fits float32,
# which ends at 3e38.
MIN_NORM = 1e-12


def pair_masks(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mark the positive and the negative pairs of a batch.

    Args:
        labels: Shape (N,).

    Returns:
        Two boolean masks (N, N): equal labels, except of a row and itself; different labels.
    """
    same = labels[:, None] == labels
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return same & ~itself, ~same


def row_norms(x: Tensor) -> Tensor:
    """Compute norms (N, D) -> (N, 1); below 1e-12 they and all their derivatives are 0."""
    squared = x.square().sum(dim=1, keepdim=True)
    nonzero = ~(squared <= MIN_NORM**2)  # so that NaN stays NaN
    return torch.where(nonzero, torch.where(nonzero, squared, 1.0).sqrt(), 0.0)


def unit_rows(x: Tensor) -> Tensor:
    """Divide each row of (N, D) by its norm; a row with a norm below 1e-12 is not changed."""
    norms = row_norms(x)
    return x / torch.where(norms == 0, 1.0, norms)


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Compute |x_i - y_j|^2, shapes (N, D), (M, D) -> (N, M), at least 0."""
    # A common shift changes no distance, and the expansion below then cancels less.
    shift = y.detach().mean(dim=0)
    x, y = x - shift, y - shift
    squares = x.square().sum(dim=1)[:, None] + y.square().sum(dim=1)
    return torch.addmm(squares, x, y.t(), alpha=-2).clamp_min(0)


def paired_distances(x: Tensor, y: Tensor, kind: str = "euclidean") -> Tensor:
    """Compute the distance of row i of ``x`` to row i of ``y``, shapes (N, D), (N, D) -> (N,).

    Args:
        x: Shape (N, D); for ``'cosine'`` rows of unit length.
        y: As ``x``.
        kind: ``'euclidean'``, ``'squared_euclidean'`` or ``'cosine'`` (1 - cosine).
    """
    if kind == "cosine":
        return 1 - (x * y).sum(dim=1)
    squared = (x - y).square().sum(dim=1)
    if kind == "squared_euclidean":
        return squared
    return squared.clamp_min(MIN_SQUARED_DISTANCE).sqrt()


@torch.no_grad()
def hardest_pairs(
    x: Tensor, y: Tensor, positive: Tensor, negative: Tensor
) -> tuple[Tensor, Tensor]:
    """Find the farthest positive and the nearest negative of every anchor.

    Args:
        x: Anchors, shape (N, D).
        y: Keys, shape (M, D).
        positive: Boolean mask (N, M) of positive pairs.
        negative: Boolean mask (N, M) of negative pairs.

    Returns:
        Two index tensors of shape (N,) into ``y``. Where a row of a mask is empty the index is
        valid but meaningless: test ``mask.any(dim=1)``.
    """
    distances = squared_distances(x, y)
    # No squared distance is below 0, and none is infinite.
    farthest = distances.masked_fill(~positive, -1.0).argmax(dim=1)
    nearest = distances.masked_fill(~negative, float("inf")).argmin(dim=1)
    return farthest, nearest


def ranking_terms(positive: Tensor, negative: Tensor, margin: float | None) -> Tensor:
    """Return the hinge ``max(0, p - n + margin)``; without margin ``log(1 + exp(p - n))``."""
    if margin is None:
        return log1p_exp(positive - negative)
    return F.relu(positive - negative + margin)


def mean_where(values: Tensor, mask: Tensor) -> Tensor:
    """Average ``values`` where ``mask`` holds; 0 (with zero gradient) if it never does."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp_min(1)


def lowest(dtype: torch.dtype) -> float:
    """Return a number whose exponential is 0 beside any other; the sum of two is still finite."""
    return torch.finfo(dtype).min / 2


def masked_logsumexp(values: Tensor, mask: Tensor) -> Tensor:
    """Compute ``log sum exp`` of each row where ``mask`` holds, shape (N, M) -> (N,).

    An empty row gives a huge negative number, not -inf, so that its gradient is 0 and not NaN.
    """
    return values.masked_fill(~mask, lowest(values.dtype)).logsumexp(dim=1)


def masked_log_mean_exp(values: Tensor, mask: Tensor) -> Tensor:
    """Compute ``log mean exp`` of each row where ``mask`` holds, as :func:`masked_logsumexp`."""
    count = mask.sum(dim=1).clamp_min(1).to(values.dtype)  # log() of integers would be float32
    return masked_logsumexp(values, mask) - count.log()


def log1p_exp(values: Tensor) -> Tensor:
    """Compute ``log(1 + exp(values))`` elementwise, without overflow and without a cut-off."""
    return -F.logsigmoid(-values)
