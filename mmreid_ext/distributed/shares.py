"""Share work among ranks: each does a part, all get everything, and an error of one reaches all.

Shapes: W ranks, N rows of a result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor

from mmreid_ext.errors import RankLostError
from mmreid_ext.shorten import one_line

from .patience import patient_group
from .waits import waiting

Owned = tuple[int, int, int]
"""First row, row behind the last, and the rank that fills them."""


def ranks_sharing(shared: bool = True) -> tuple[int, int]:
    """Return rank and number of ranks; (0, 1) if the work is not shared, or nobody is there."""
    if shared and dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def even_shares(number: int, world_size: int) -> list[Owned]:
    """Split rows into one run of rows for each rank, as even as can be; some may be empty."""
    bounds = [number * rank // world_size for rank in range(world_size + 1)]
    return [(a, b, rank) for rank, (a, b) in enumerate(zip(bounds, bounds[1:], strict=False))]


def dealt_blocks(number: int, rows: int, world_size: int) -> list[Owned]:
    """Split rows into blocks, which don't depend on the number of ranks, and deal these out."""
    starts = range(0, number, rows)
    return [(a, min(a + rows, number), i % world_size) for i, a in enumerate(starts)]


def fill_in(result: Tensor, shares: Sequence[Owned], shared: bool = True) -> Tensor:
    """Send every share from its owner into the results of all others, in place.

    Nothing is copied besides: a rank needs no more memory than if it had filled everything.

    Args:
        result: Shape (N, ...), contiguous, of the same shape on every rank; each has filled its own
            shares.
        shares: Rows and their owners, the same on every rank.
        shared: Whether the ranks share the work. Otherwise nothing is sent.

    Returns:
        ``result``.
    """
    if ranks_sharing(shared)[1] == 1 or not result.numel():
        return result
    with waiting():
        for start, stop, owner in shares:
            if start < stop:
                dist.broadcast(result[start:stop], src=owner)
    return result


def rows_from_all(x: Tensor, shares: Sequence[Owned]) -> list[Tensor]:
    """Send the rows of every share to its owner, who gets them from every rank.

    Args:
        x: Shape (N, ...), of the same shape on every rank.
        shares: Rows and their owners, one share for each rank.

    Returns:
        This rank's rows, as each rank holds them, by rank.
    """
    rank, world_size = ranks_sharing()
    if world_size == 1:
        return [x]
    mine: list[Tensor] = []
    with waiting():
        for start, stop, owner in shares:
            sent = x[start:stop].contiguous()
            got = [torch.empty_like(sent) for _ in range(world_size)] if owner == rank else None
            if start < stop:
                dist.gather(sent, got, dst=owner)
            mine = mine if got is None else got
    return mine


@contextmanager
def agreed(work: str, shared: bool = True) -> Iterator[None]:
    """Do this rank's part inside; afterwards all ranks go on, or an error is raised on all.

    The ranks wait for one another at the end, however long one of them works alone. Inside, none
    may wait for another.

    Args:
        work: What the message calls it.
        shared: Whether the ranks share the work. Otherwise errors are raised as they are.

    Raises:
        RankLostError: If another rank has failed; the one that failed raises its own error.
    """
    problem: Exception | None = None
    try:
        yield
    except Exception as error:  # noqa: BLE001 (raised below, on all ranks)
        problem = error
    if ranks_sharing(shared)[1] > 1:
        said: list[str | None] = [None] * dist.get_world_size()
        mine = None if problem is None else f"{type(problem).__name__}: {problem}"
        dist.all_gather_object(said, mine, group=patient_group())
        failed = [(rank, text) for rank, text in enumerate(said) if text is not None]
        if failed and problem is None:
            rank, text = failed[0]
            raise RankLostError(
                f"{work}: rank {rank} failed with {one_line(text)}; see what it wrote itself."
            )
    if problem is not None:
        raise problem
