"""Distances between rows and the search for hard pairs, shared by the losses.

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
# Shorter rows count as zero rows: 1 / norm**3, in the derivatives, would overflow float32.
MIN_NORM = 1e-12


def row_norms(x: Tensor) -> Tensor:
    """Euclidean norms (N, D) -> (N, 1); below 1e-12 they are 0, with derivatives 0 of any order."""
    squared = x.square().sum(dim=1, keepdim=True)
    nonzero = ~(squared <= MIN_NORM**2)  # so that NaN stays NaN
    return torch.where(nonzero, torch.where(nonzero, squared, 1.0).sqrt(), 0.0)


def unit_rows(x: Tensor) -> Tensor:
    """Divide each row of (N, D) by its norm; a row with norm below 1e-12 stays as it is (zero)."""
    norms = row_norms(x)
    return x / torch.where(norms == 0, 1.0, norms)


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Squared Euclidean distances |x_i - y_j|^2, shapes (N, D), (M, D) -> (N, M), at least 0."""
    # Distances do not change when both sides are shifted, but the expansion below then cancels
    # less.
    shift = y.detach().mean(dim=0)
    x, y = x - shift, y - shift
    squares = x.square().sum(dim=1)[:, None] + y.square().sum(dim=1)
    return torch.addmm(squares, x, y.t(), alpha=-2).clamp_min(0)


def paired_distances(x: Tensor, y: Tensor, kind: str = "euclidean") -> Tensor:
    """Distance of row i of ``x`` to row i of ``y``, shapes (N, D), (N, D) -> (N,).

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
    farthest = distances.masked_fill(~positive, -1.0).argmax(dim=1)
    nearest = distances.masked_fill(~negative, float("inf")).argmin(dim=1)
    return farthest, nearest


def ranking_terms(positive: Tensor, negative: Tensor, margin: float | None) -> Tensor:
    """Hinge ``max(0, p - n + margin)``, or ``log(1 + exp(p - n))`` for ``margin=None``."""
    if margin is None:
        return log1p_exp(positive - negative)
    return F.relu(positive - negative + margin)


def mean_where(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``values`` where ``mask`` holds; 0 (with zero gradient) where it never does."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp_min(1)


def masked_logsumexp(values: Tensor, mask: Tensor) -> Tensor:
    """``log sum exp`` of each row where ``mask`` holds, shape (N, M) -> (N,).

    An empty row gives a huge negative number, not -inf, so that its gradient is 0 and not NaN.
    """
    fill = torch.finfo(values.dtype).min / 2
    return values.masked_fill(~mask, fill).logsumexp(dim=1)


def masked_log_mean_exp(values: Tensor, mask: Tensor) -> Tensor:
    """As :func:`masked_logsumexp` with a mean in place of the sum."""
    count = mask.sum(dim=1).clamp_min(1).to(values.dtype)  # log() of integers would be float32
    return masked_logsumexp(values, mask) - count.log()


def log1p_exp(values: Tensor) -> Tensor:
    """``log(1 + exp(values))`` elementwise, without overflow and without a cut-off."""
    return -F.logsigmoid(-values)
