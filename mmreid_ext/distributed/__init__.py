"""Talk to the other ranks; models, data and evaluation use process groups only through here.

The rule of the package is "distributed means equal": ``W`` ranks compute what one rank computes on
the same global batch. Two observations make it simple:

* A loss over samples of all ranks is computed *identically on every rank* from gathered features.
  :func:`gather_with_grad` sums the gradients of all those copies, so each rank receives ``W`` times
  the gradient of the global loss with respect to its own rows.
* Averaging parameter gradients over ranks, as DistributedDataParallel does, divides by ``W``.

Without an initialised process group every function here is the identity of one rank.

Shapes: W ranks, N rows of this rank, D dimensions of a feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import FunctionCtx

from .equal_parts import gather_equal_parts as _all_gather_equal
from .equal_parts import sum_equal_parts
from .patience import patient_group
from .positions import Places, get_positions, rows_at
from .sending import sent_to
from .shares import agreed, dealt_blocks, even_shares, fill_in, ranks_sharing, rows_from_all
from .waits import waiting

__all__ = [
    "Places",
    "agreed",
    "dealt_blocks",
    "even_shares",
    "fill_in",
    "get_positions",
    "ranks_sharing",
    "rows_at",
    "rows_from_all",
    "sent_to",
]


def is_distributed() -> bool:
    """Return whether a process group with more than one rank is running."""
    return get_world_size() > 1


def get_rank() -> int:
    """Return the rank of this process in ``[0, world_size)``; 0 without a process group."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def get_world_size() -> int:
    """Return the number of ranks; 1 without a process group."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def is_main() -> bool:
    """Return whether this is rank 0, the one that writes files and tables."""
    return get_rank() == 0


class _AllReduceSum(torch.autograd.Function):
    """Sum over ranks; its adjoint is itself, hence derivatives of any order."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        x = x.contiguous().clone()  # an all-reduce works in place
        with waiting():
            dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> Tensor:
        return _AllReduceSum.apply(grad)


class _GatherWithGrad(torch.autograd.Function):
    """Gather, (N, ...) -> (W * N, ...); its adjoint is the next one, hence any order."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        return _all_gather_equal(x)

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> Tensor:
        return _SumEqualParts.apply(grad)


class _SumEqualParts(torch.autograd.Function):
    """Sum over ranks and keep the own rows, (W * N, ...) -> (N, ...)."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        return sum_equal_parts(x)

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> Tensor:
        return _GatherWithGrad.apply(grad)


class _GatherSamples(torch.autograd.Function):
    """Gather bytes of features and labels side by side: one message costs one latency."""

    @staticmethod
    def forward(ctx: FunctionCtx, feats: Tensor, *labels: Tensor) -> tuple[Tensor, ...]:
        columns = [feats, *(label[:, None] for label in labels)]
        packed = [column.contiguous().view(torch.uint8) for column in columns]  # (N, bytes) each
        gathered = _all_gather_equal(torch.cat(packed, dim=1))
        parts = gathered.split([part.shape[1] for part in packed], dim=1)
        all_feats, *all_labels = (
            part.contiguous().view(column.dtype)
            for part, column in zip(parts, columns, strict=True)
        )
        all_labels = [label.flatten() for label in all_labels]
        ctx.mark_non_differentiable(*all_labels)
        return all_feats, *all_labels

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor, *no_grads: None) -> tuple[Tensor | None, ...]:
        return _SumEqualParts.apply(grad), *(None for _ in no_grads)


def gather_with_grad(x: Tensor) -> Tensor:
    """Gather the rows of all ranks, differentiably.

    Args:
        x: Shape (N, ...), the same shape on every rank.

    Returns:
        Shape (W * N, ...), rank 0's rows first. The backward pass sums over ranks the gradients
        that they computed for this rank's rows.
    """
    return _GatherWithGrad.apply(x) if is_distributed() else x


def gather_samples(feats: Tensor, *labels: Tensor) -> tuple[Tensor, ...]:
    """Gather the samples of all ranks in one message: features differentiably, labels not.

    Args:
        feats: Shape (N, D), the same shape on every rank.
        *labels: Shape (N,) each.

    Returns:
        ``feats`` of shape (W * N, D), rank 0's rows first, then each of ``labels`` of shape
        (W * N,); bit for bit what the ranks held. The backward pass is :func:`gather_with_grad`'s.
    """
    return _GatherSamples.apply(feats, *labels) if is_distributed() else (feats, *labels)


def gather_rows(x: Tensor) -> Tensor:
    """Gather rows in rank order, without gradient; ranks may hold different numbers of rows.

    Args:
        x: Shape (N, ...), where only N may differ between ranks.

    Returns:
        Shape (sum of N, ...).
    """
    x = x.detach()
    if not is_distributed():
        return x
    sizes = _all_gather_equal(torch.tensor([x.shape[0]], device=x.device))
    ends = [0, *sizes.cumsum(0).tolist()]
    shares = [(a, b, rank) for rank, (a, b) in enumerate(zip(ends, ends[1:], strict=False))]
    result = x.new_empty((ends[-1], *x.shape[1:]))
    result[slice(*shares[get_rank()][:2])] = x
    return fill_in(result, shares)


def places_of_rows(num_rows: int, device: torch.device | str = "cpu") -> Places:
    """Compute where this rank's rows stand in the batch of a single process.

    Each rank holds ``num_rows``; an image may have several rows, one after the other.
    """
    own = torch.arange(num_rows, device=device) + get_rank() * num_rows
    positions = get_positions()
    if not is_distributed() or not positions or num_rows % len(positions):
        return Places(own, torch.arange(num_rows * get_world_size(), device=device))
    own_images = sent_to(torch.device(device), torch.tensor(positions))
    images = _all_gather_equal(own_images).argsort(stable=True)
    per_image = num_rows // len(positions)
    order = (images[:, None] * per_image + torch.arange(per_image, device=device)).flatten()
    return Places(order.argsort()[own], order)  # argsort of a permutation is its inverse


def all_reduce_sum(x: Tensor) -> Tensor:
    """Sum ``x`` over ranks, differentiably any number of times."""
    return _AllReduceSum.apply(x) if is_distributed() else x


def mean_over_ranks(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Average each tensor over ranks with one all-reduce, differentiably any number of times.

    Args:
        tensors: Any shapes, one floating dtype and device; the same list of shapes on every rank.

    Returns:
        New tensors of the same shapes (the inputs themselves on one rank).
    """
    tensors = list(tensors)
    if not is_distributed() or not tensors:
        return tensors
    flat = all_reduce_sum(torch.cat([t.reshape(-1) for t in tensors])) / get_world_size()
    parts = flat.split([t.numel() for t in tensors])
    return [part.reshape(t.shape) for part, t in zip(parts, tensors, strict=True)]


def any_rank(flag: Tensor) -> Tensor:
    """Combine a boolean 0-d tensor over ranks by OR, so that all ranks take the same decision."""
    if not is_distributed():
        return flag
    value = flag.to(torch.int32)
    dist.all_reduce(value, op=dist.ReduceOp.MAX)
    return value.bool()


def broadcast_object(obj: Any) -> Any:
    """Return rank 0's ``obj`` on every rank (small Python objects only); rank 0 may take long."""
    if not is_distributed():
        return obj
    box = [obj]
    dist.broadcast_object_list(box, src=0, group=patient_group())
    return box[0]


def gather_objects(obj: Any) -> list[Any]:
    """Return the objects of all ranks, by rank (small Python objects only)."""
    if not is_distributed():
        return [obj]
    box: list[Any] = [None] * get_world_size()
    dist.all_gather_object(box, obj, group=patient_group())
    return box


def barrier() -> None:
    """Wait for all ranks, however long one of them works alone."""
    if is_distributed():
        dist.barrier(group=patient_group())
