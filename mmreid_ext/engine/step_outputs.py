"""Read what a training step returns: means over the ranks, and whether they are finite."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from mmreid_ext.checkpoint.finite_weights import what_is_left
from mmreid_ext.distributed import mean_over_ranks
from mmreid_ext.errors import DivergenceError


@torch.no_grad()
def average_over_ranks(outputs: Mapping[str, Tensor | float]) -> dict[str, float]:
    """Turn the terms of this rank's images into those of the global batch, as plain numbers."""
    tensors = {name: value for name, value in outputs.items() if isinstance(value, Tensor)}
    numbers = {name: v for name, v in outputs.items() if not isinstance(v, Tensor)}
    if tensors:
        (mean,) = mean_over_ranks([torch.stack([v.detach().float() for v in tensors.values()])])
        numbers |= zip(tensors, mean.tolist(), strict=True)  # one transfer to the host
    return {name: numbers[name] for name in outputs}


def stop_if_not_finite(outputs: Mapping[str, float], iteration: int, work_dir: str = "") -> None:
    """Raise DivergenceError naming every loss term if one of them isn't finite.

    Args:
        outputs: What a step returned, as plain numbers.
        iteration: The 0-based iteration.
        work_dir: Folder of the run, for the message.

    Raises:
        DivergenceError: A ``FloatingPointError``.
    """
    losses = {name: value for name, value in outputs.items() if "loss" in name}
    if all(math.isfinite(value) for value in losses.values()):
        return
    terms = ", ".join(f"{name}={value:.6g}" for name, value in losses.items())
    raise DivergenceError(
        f"Loss is not finite at iteration {iteration + 1}: {terms}. {what_is_left(work_dir)}"
    )
