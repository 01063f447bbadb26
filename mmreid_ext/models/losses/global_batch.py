"""Gather the batch of all ranks for a loss, once for all losses of a training step.

Shapes: N rows of this rank, W ranks, D dimensions of a feature.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import Tensor

from mmreid_ext.distributed import gather_samples, is_distributed

from .full_precision import widen


class _SharedGather:
    """Gather a batch when it is asked for first, and keep it for the others."""

    def __init__(self, feats: Tensor, *labels: Tensor) -> None:
        self.narrow = feats
        self.own = (widen(feats), *labels)
        self.gathered: tuple[Tensor, ...] | None = None

    def look_up(self, wanted: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        """Return the gathered counterparts of ``wanted``; None if one of them is another tensor."""
        places = {id(tensor): place for place, tensor in enumerate(self.own)}
        if any(id(tensor) not in places for tensor in wanted):
            return None
        if self.gathered is None:
            self.gathered = gather_samples(*self.own)
        return tuple(self.gathered[places[id(tensor)]] for tensor in wanted)

    def holds(self, feats: Tensor, labels: tuple[Tensor, ...]) -> bool:
        """Whether it is of these very tensors."""
        same = len(labels) == len(self.own) - 1
        return same and feats is self.narrow and all(map(operator.is_, labels, self.own[1:]))


_shared_gather: ContextVar[_SharedGather | None] = ContextVar("shared_gather", default=None)


@contextmanager
def one_gather(feats: Tensor, *labels: Tensor) -> Iterator[Tensor]:
    """Let all over these very tensors share one gather inside the block, forward and backward.

    A block inside another one over the same tensors changes nothing.

    Args:
        feats: Shape (N, D), the same shape on every rank.
        *labels: Shape (N,) each; all that any of the losses may want.

    Yields:
        The features in float32 at least, as losses take them.
    """
    shared = _shared_gather.get()
    if shared is None or not shared.holds(feats, labels):
        shared = _SharedGather(feats, *labels)
    token = _shared_gather.set(shared)
    try:
        yield shared.own[0]
    finally:
        _shared_gather.reset(token)


def rows_of_all_ranks(feats: Tensor) -> Tensor | None:
    """Return the gathered rows (W * N, D), float32 at least, of the features of this block.

    None on one rank, outside of :func:`one_gather`, and for other features: nothing is sent then.
    """
    shared = _shared_gather.get()
    if shared is None or feats is not shared.narrow or not is_distributed():
        return None
    found = shared.look_up(shared.own[:1])
    return None if found is None else found[0]


def global_batch(feats: Tensor, *labels: Tensor, across_ranks: bool = True) -> tuple[Tensor, ...]:
    """Gather the rows of all ranks in rank order: features with gradients, labels without.

    Every rank then computes the same global loss. Averaging parameter gradients over ranks, as
    DistributedDataParallel does, gives the gradient of that loss. It costs one message, or none if
    :func:`one_gather` has it already.

    Args:
        feats: Shape (N, D); N must be the same on every rank.
        *labels: Shape (N,) each.
        across_ranks: Whether to gather at all; False keeps the loss local to each rank.

    Returns:
        ``feats`` of shape (W * N, D), then each of ``labels`` of shape (W * N,).
    """
    wanted = (feats, *labels)
    if not across_ranks:
        return wanted
    shared = _shared_gather.get()
    found = shared.look_up(wanted) if shared is not None else None
    return gather_samples(*wanted) if found is None else found
