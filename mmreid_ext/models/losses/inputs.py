"""What every loss does with its inputs first: check them, widen them, gather them over ranks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor

from mmreid_ext.distributed import gather_samples
from mmreid_ext.errors import UserError, UserTypeError


def check_rows(feats: Tensor, name: str = "feats", **labels: Tensor) -> None:
    """Check a (N, D) floating tensor and the integer labels of its rows, without touching values.

    Args:
        feats: Expected shape (N, D) with N >= 1, floating point.
        name: What to call ``feats`` in a message.
        **labels: Expected shape (N,), an integer type; the keyword is the name in a message.

    Raises:
        TypeError: Wrong kind of dtype.
        ValueError: Wrong shape, or no row at all.
    """
    if not feats.is_floating_point():
        raise UserTypeError(f"{name} must be floating point, got {feats.dtype}")
    if feats.ndim != 2 or feats.shape[0] == 0:
        raise UserError(
            f"{name} must have shape (N, D) with N >= 1, got {tuple(feats.shape)}; "
            "flatten pooled maps first, e.g. feats.flatten(1)"
        )
    for label_name, label in labels.items():
        if label.is_floating_point() or label.is_complex() or label.dtype == torch.bool:
            raise UserTypeError(f"{label_name} must be integers, got {label.dtype}; call .long()")
        if label.shape != feats.shape[:1]:
            raise UserError(
                f"{label_name} must have shape ({feats.shape[0]},), one per row of {name}, "
                f"got {tuple(label.shape)}"
            )


def check_label_range(pids: Tensor, num_classes: int) -> None:
    """Check that labels lie in ``[0, num_classes)``.

    Only on CPU tensors: on an accelerator the check would make the host wait for the device, and
    the indexing that follows has its own device-side assertion.

    Raises:
        ValueError: A label outside the range.
    """
    if pids.device.type != "cpu":
        return
    lowest, highest = int(pids.min()), int(pids.max())
    if lowest < 0 or highest >= num_classes:
        raise UserError(
            f"pids range over [{lowest}, {highest}], but num_classes={num_classes} allows "
            f"[0, {num_classes - 1}]; set num_classes to the training set's number of identities "
            "and pass the relabelled pids"
        )


def widen(value: Any) -> Any:
    """A half or bfloat16 tensor in float32; anything else as it is."""
    is_narrow = isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    return value.float() if is_narrow else value


def in_full_precision(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a ``forward``: autocast off, half and bfloat16 tensors widened to float32.

    Distances between embeddings cancel and thresholds lie close to 1, so 16 bits are not enough
    even where the network runs in them. Float64 stays float64. The signature stays visible to
    ``inspect``.
    """

    @functools.wraps(forward)
    def wrapper(self, *args: Any, **kwargs: Any) -> Any:
        tensors = (v for v in (*args, *kwargs.values()) if isinstance(v, Tensor))
        device_type = next((t.device.type for t in tensors), "cpu")
        with torch.autocast(device_type, enabled=False):
            widened = {name: widen(value) for name, value in kwargs.items()}
            return forward(self, *(widen(value) for value in args), **widened)

    return wrapper


class _SharedGather:
    """One gather of a batch, made when the first loss asks for it."""

    def __init__(self, feats: Tensor, *labels: Tensor) -> None:
        self.own = (feats, *labels)
        self.gathered: tuple[Tensor, ...] | None = None

    def look_up(self, wanted: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        """The gathered counterparts of ``wanted``; None if one of them is another tensor."""
        places = {id(tensor): place for place, tensor in enumerate(self.own)}
        if any(id(tensor) not in places for tensor in wanted):
            return None
        if self.gathered is None:
            self.gathered = gather_samples(*self.own)
        return tuple(self.gathered[places[id(tensor)]] for tensor in wanted)


_shared_gather: ContextVar[_SharedGather | None] = ContextVar("shared_gather", default=None)


@contextmanager
def one_gather(feats: Tensor, *labels: Tensor) -> Iterator[None]:
    """Within it, losses over these very tensors share one gather, forward and backward.

    Args:
        feats: Shape (N, D), the same shape on every rank.
        *labels: Shape (N,) each; all that any of the losses may want.
    """
    token = _shared_gather.set(_SharedGather(feats, *labels))
    try:
        yield
    finally:
        _shared_gather.reset(token)


def global_batch(feats: Tensor, *labels: Tensor, across_ranks: bool = True) -> tuple[Tensor, ...]:
    """Rows of all ranks in rank order: features with gradients, labels without.

    Every rank then computes the same global loss; averaging parameter gradients over ranks, as
    DistributedDataParallel does, gives the gradient of that loss. One message, or none if
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
