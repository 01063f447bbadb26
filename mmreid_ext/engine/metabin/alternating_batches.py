"""The batches of two samplers in one stream, so that one pool of workers loads both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

from torch.utils.data import BatchSampler

from mmreid_ext.engine.loading import Seekable
from mmreid_ext.errors import UserError

from .base_steps import base_batches_before, base_batches_of


class AlternatingBatches:
    """Base batch, meta batch, base batch, meta batch, ..., without end.

    The first iteration may take several base batches before its meta batch. A sampler that comes to
    its end begins again, at its next epoch if it has ``set_epoch``.

    Args:
        base: Batches of the base step.
        meta: Batches of the meta steps.
        first_base_batches: Base batches of the first iteration. Defaults to 1.
    """

    def __init__(self, base: BatchSampler, meta: BatchSampler, first_base_batches: int = 1) -> None:
        self.base, self.meta = base, meta
        self.first_base_batches = first_base_batches
        self.iteration = 0

    def set_start(self, iteration: int) -> None:
        """Let the next ``iter()`` begin at a 0-based iteration."""
        self.iteration = iteration

    def __iter__(self) -> Iterator[list[int]]:
        before = base_batches_before(self.iteration, self.first_base_batches)
        base, meta = _from(self.base, before), _from(self.meta, self.iteration)
        for iteration in count(self.iteration):
            yield from islice(base, base_batches_of(iteration, self.first_base_batches))
            yield next(meta)


def _from(batches: BatchSampler, start: int) -> Iterator[list[int]]:
    """Endless batches from the ``start``-th on; no image is read to get there."""
    if isinstance(batches.sampler, Seekable):
        batches.sampler.set_start(start)
        start = 0
    return islice(_repeat(batches), start, None)


def _repeat(batches: BatchSampler) -> Iterator[list[int]]:
    epoch = 0
    while True:
        number = 0
        for number, batch in enumerate(batches, 1):  # noqa: B007
            yield batch
        if number == 0:
            raise UserError(
                f"{type(batches.sampler).__name__} has no batch of {batches.batch_size} images; "
                "lower the batch_size of its loader."
            )
        epoch += 1
        if hasattr(batches.sampler, "set_epoch"):
            batches.sampler.set_epoch(epoch)
