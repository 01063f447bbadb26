"""Precision of statistics."""

from __future__ import annotations

import torch
from torch import Tensor


def stats_dtype(x: Tensor) -> torch.dtype:
    """Precision of statistics: float32 for half precision, else that of ``x``."""
    return torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype


def replace_cancelled(x: Tensor, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Recompute, slowly and exactly, the moments of the few planes whose mean dwarfs their spread.

    There a sum of products cancels, with a relative error of about ``eps * mean^2 / var``, and a
    plain running sum spoils the mean.

    Args:
        x: Shape (N, C, H, W).
        mean: Shape (N, C), changed in place.
        var: Shape (N, C), changed in place.
    """
    cancelled = mean.square() > 16 * var
    if cancelled.any():
        planes = x.flatten(2)[cancelled].to(mean.dtype)
        var[cancelled], mean[cancelled] = torch.var_mean(planes, dim=1, correction=0)
    return mean, var
