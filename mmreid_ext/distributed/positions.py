"""Positions: the place of this rank's rows in the batch of a single process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from torch import Tensor


class Places(NamedTuple):
    """Where rows stand in the batch of a single process.

    Attributes:
        own: Places of this rank's rows, shape (N,) int64.
        order: For each place, its row among those gathered in rank order, shape (W * N,) int64.
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
    """Return the positions that :func:`rows_at` was given."""
    return _positions.get()
