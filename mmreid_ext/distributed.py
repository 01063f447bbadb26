"""Everything that talks to process groups.

The rule of the package is "distributed means equal": ``W`` ranks compute what one rank computes on
the same global batch. Two facts make it simple:

* a loss over samples of all ranks is computed *identically on every rank* from gathered features;
  :func:`gather_with_grad` sums the gradients of all those copies, so each rank receives ``W`` times
  the gradient of the global loss with respect to its own rows;
* averaging parameter gradients over ranks (what DistributedDataParallel does) divides by ``W``
  again.

Without an initialised process group every function here is the identity of one rank.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor


def is_distributed() -> bool:
    """Whether a process group with more than one rank is running."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def get_rank() -> int:
    """Rank of this process in ``[0, world_size)``; 0 without a process group."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def get_world_size() -> int:
    """Number of ranks; 1 without a process group."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def is_main() -> bool:
    """Whether this is rank 0, the one that writes files and tables."""
    return get_rank() == 0


def _all_gather_equal(x: Tensor) -> Tensor:
    """Concatenate equally sized ``x`` of all ranks along dimension 0, in rank order."""
    x = x.contiguous()
    parts = [torch.empty_like(x) for _ in range(get_world_size())]
    dist.all_gather(parts, x)
    return torch.cat(parts)


class _GatherWithGrad(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return _all_gather_equal(x)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        return _SumAndTakeOwnRows.apply(grad)


class _SumAndTakeOwnRows(torch.autograd.Function):
    """Adjoint of the gather: sum over ranks, keep the rows of this rank."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        x = x.contiguous().clone()
        dist.all_reduce(x)
        return x.chunk(get_world_size())[get_rank()].clone()

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        return _GatherWithGrad.apply(grad)


class _GatherSamples(torch.autograd.Function):
    """Bytes of features and labels side by side: a message costs its latency first, then bytes."""

    @staticmethod
    def forward(ctx, feats: Tensor, *labels: Tensor) -> tuple[Tensor, ...]:
        columns = [feats, *(label[:, None] for label in labels)]
        packed = [column.contiguous().view(torch.uint8) for column in columns]
        gathered = _all_gather_equal(torch.cat(packed, dim=1))
        parts = gathered.split([part.shape[1] for part in packed], dim=1)
        feats, *labels = (
            part.contiguous().view(column.dtype)
            for part, column in zip(parts, columns, strict=True)
        )
        labels = [label.flatten() for label in labels]
        ctx.mark_non_differentiable(*labels)
        return (feats, *labels)

    @staticmethod
    def backward(ctx, grad: Tensor, *no_grads: None) -> tuple[Tensor | None, ...]:
        return (_SumAndTakeOwnRows.apply(grad), *(None for _ in no_grads))


class _AllReduceSum(torch.autograd.Function):
    """Sum over ranks; its adjoint is itself, hence derivatives of any order."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        x = x.contiguous().clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        return _AllReduceSum.apply(grad)


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
        x: Shape (N_r, ...), where only ``N_r`` may differ between ranks.

    Returns:
        Shape (sum of N_r, ...).
    """
    x = x.detach()
    if not is_distributed():
        return x
    size = torch.tensor([x.shape[0]], dtype=torch.int64, device=x.device)
    sizes = _all_gather_equal(size).tolist()
    if len(set(sizes)) == 1:
        return _all_gather_equal(x)
    padded = x.new_zeros((max(sizes), *x.shape[1:]))
    padded[: x.shape[0]] = x
    gathered = _all_gather_equal(padded).chunk(len(sizes))
    return torch.cat([part[:n] for part, n in zip(gathered, sizes, strict=True)])


class Places(NamedTuple):
    """Where rows stand in the batch of a single process.

    Attributes:
        own: Places of this rank's rows, shape (N,) int64.
        order: Of the rows gathered in rank order, the one at each place, shape (W * N,) int64.
    """

    own: Tensor
    order: Tensor


_positions: ContextVar[tuple[int, ...] | None] = ContextVar("positions of rows", default=None)


@contextmanager
def rows_at(positions: Sequence[int] | None) -> Iterator[None]:
    """Say inside the block where this rank's rows stand in the batch of a single process.

    Args:
        positions: One integer per image of this rank, ordered as a single process orders its
            images; gaps do no harm. None: batches gathered in rank order are in that order.
    """
    token = _positions.set(None if positions is None else tuple(positions))
    try:
        yield
    finally:
        _positions.reset(token)


def get_positions() -> tuple[int, ...] | None:
    """What :func:`rows_at` was told."""
    return _positions.get()


def places_of_rows(num_rows: int, device: torch.device | str = "cpu") -> Places:
    """Places of ``num_rows`` rows per rank; an image may have several rows, one after the other."""
    own = torch.arange(num_rows, device=device) + get_rank() * num_rows
    order = torch.arange(num_rows * get_world_size(), device=device)
    positions = _positions.get()
    if not is_distributed() or not positions or num_rows % len(positions):
        return Places(own, order)
    positions = torch.tensor(positions, device=device)
    images = _all_gather_equal(positions).argsort(stable=True)
    per_image = num_rows // len(positions)
    order = (images[:, None] * per_image + torch.arange(per_image, device=device)).flatten()
    return Places(order.argsort()[own], order)


def all_reduce_sum(x: Tensor) -> Tensor:
    """Sum of ``x`` over ranks, differentiable any number of times."""
    return _AllReduceSum.apply(x) if is_distributed() else x


def mean_over_ranks(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Average each tensor over ranks with one all-reduce, differentiable any number of times.

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
    """Logical OR of a boolean 0-d tensor over ranks, so that all ranks take the same decision."""
    if not is_distributed():
        return flag
    value = flag.to(torch.int32)
    dist.all_reduce(value, op=dist.ReduceOp.MAX)
    return value.bool()


def broadcast_object(obj: Any) -> Any:
    """Rank 0's ``obj`` on every rank (small Python objects only)."""
    if not is_distributed():
        return obj
    box = [obj]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def barrier() -> None:
    """Wait for all ranks."""
    if is_distributed():
        dist.barrier()
