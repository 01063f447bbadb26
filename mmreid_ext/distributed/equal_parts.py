"""Collectives over parts of one size; autograd is added where they are used.

Shapes: W ranks, N rows of a rank. All ranks give tensors of one shape.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor

from .waits import waiting


def gather_equal_parts(x: Tensor) -> Tensor:
    """Concatenate ``x`` (N, ...) of all ranks to (W * N, ...), in rank order."""
    x = x.contiguous()
    ranks = x.new_empty((dist.get_world_size(), *x.shape))
    with waiting():
        if x.is_cuda:
            dist.all_gather_into_tensor(ranks.flatten(0, 1), x)
        else:  # early versions of gloo don't know the other form; no part is copied here, either
            dist.all_gather(list(ranks.unbind()), x)
    return ranks.flatten(0, 1)


def sum_equal_parts(x: Tensor) -> Tensor:
    """Sum ``x`` (W * N, ...) over ranks, and return the rows (N, ...) of this rank only.

    It moves half of the bytes of a sum that everybody gets. On a CPU each rank sends the others
    their parts and adds up its own, always in the order of the ranks.
    """
    x = x.contiguous()
    ranks = x.unflatten(0, (dist.get_world_size(), x.shape[0] // dist.get_world_size()))
    with waiting():
        if x.is_cuda:
            part = torch.empty_like(ranks[0])
            dist.reduce_scatter_tensor(part, x)
            return part
        parts = torch.empty_like(ranks)
        dist.all_to_all_single(parts, ranks)
    return parts.sum(0)
