"""Hand out the base and the meta batches of MetaBIN, from one loader or from two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from mmreid_ext.engine.loading import start_at, stop_workers

from .alternating_batches import AlternatingBatches
from .base_steps import base_batches_before


class PooledBatches:
    """Take batches of both kinds from one loader, in the order of their use.

    Args:
        pool: Loader of :func:`~mmreid_ext.engine.metabin.loader_pool.build_loader_pool`.
        batches: Its batch sampler.
    """

    def __init__(self, pool: DataLoader, batches: AlternatingBatches) -> None:
        self._pool, self._order = pool, batches
        self._batches: Iterator[dict] = iter(())
        self.meta_sampler: Any = batches.meta.sampler

    def start(self, iteration: int) -> None:
        """Let the next batches be those of a 0-based iteration."""
        self._order.set_start(iteration)
        self._batches = start_at(self._pool, 0)

    def next_base(self) -> dict:
        """Return the next batch, which must be a base batch."""
        return next(self._batches)

    def next_meta(self) -> dict:
        """Return the next batch, which must be a meta batch."""
        return next(self._batches)

    def stop(self) -> None:
        """End the processes that load images."""
        self._batches = iter(())
        stop_workers(self._pool)


class SeparateBatches:
    """Take base batches from one loader and meta batches from another.

    Args:
        base: Loader of the base batches.
        meta: Loader of the meta batches.
        first_base_steps: Base batches of the first iteration.
        begun: Iterator over ``base`` that is at its first batch. MMEngine's loop makes one when it
            is built, and a second one would start the worker processes twice.
    """

    def __init__(
        self, base: DataLoader, meta: DataLoader, first_base_steps: int, begun: Iterator[dict]
    ) -> None:
        self._base_loader, self._meta_loader = base, meta
        self._first_base_steps = first_base_steps
        self._base: Iterator[dict] = begun
        self._meta: Iterator[dict] = iter(())
        self.meta_sampler: Any = meta.sampler

    def start(self, iteration: int) -> None:
        """Let the next batches be those of a 0-based iteration."""
        before = base_batches_before(iteration, self._first_base_steps)
        if before > 0:
            self._base = start_at(self._base_loader, before)
        self._meta = start_at(self._meta_loader, iteration)

    def next_base(self) -> dict:
        """Return the next base batch."""
        return next(self._base)

    def next_meta(self) -> dict:
        """Return the next meta batch."""
        return next(self._meta)

    def stop(self) -> None:
        """End the processes that load images."""
        self._base = self._meta = iter(())
        stop_workers(self._base_loader)
        stop_workers(self._meta_loader)


def batch_source(
    base: DataLoader, meta: DataLoader, first_base_steps: int, begun: Iterator[dict]
) -> PooledBatches | SeparateBatches:
    """Choose by the meta loader: a pool hands out the base batches, too.

    Args: those of :class:`SeparateBatches`.
    """
    if isinstance(meta.batch_sampler, AlternatingBatches):
        return PooledBatches(meta, meta.batch_sampler)
    return SeparateBatches(base, meta, first_base_steps, begun)
