"""Both sources hand out the batches of an iteration, whichever it starts with."""

from itertools import count

import pytest
from torch.utils.data import BatchSampler, DataLoader

from mmreid_ext.engine.metabin.alternating_batches import AlternatingBatches
from mmreid_ext.engine.metabin.batch_sources import PooledBatches, SeparateBatches, batch_source

SIZE, FIRST = 2, 3


class Numbers:
    """All numbers from ``offset`` on; knows how to start at a batch."""

    def __init__(self, offset: int) -> None:
        self.offset, self.start, self.begun = offset, 0, 0

    def set_start(self, batches: int) -> None:
        self.start = batches

    def __iter__(self):
        self.begun += 1
        return count(self.offset + self.start * SIZE)


class Identity:
    """The data set of all numbers."""

    def __getitem__(self, index):
        return index


def separate(first_base_steps=FIRST):
    base, meta = (
        DataLoader(Identity(), SIZE, sampler=Numbers(offset), collate_fn=list)
        for offset in (0, 1000)
    )
    return batch_source(base, meta, first_base_steps, iter(base))


def pooled(first_base_steps=FIRST):
    base, meta = (BatchSampler(Numbers(offset), SIZE, drop_last=True) for offset in (0, 1000))
    both = AlternatingBatches(base, meta, first_base_steps)
    pool = DataLoader(Identity(), batch_sampler=both, collate_fn=list)
    return batch_source(DataLoader(Identity(), SIZE), pool, first_base_steps, iter(()))


def take(source, iteration: int) -> tuple[list, list]:
    """Base and meta batches of one iteration, as the loop takes them."""
    number = FIRST if iteration == 0 else 1
    return [source.next_base() for _ in range(number)], source.next_meta()


@pytest.mark.parametrize("start", [0, 1, 4])
@pytest.mark.parametrize("make", [separate, pooled])
def test_batches_of_each_iteration(make, start):
    source = make()
    source.start(start)
    base = 0 if start == 0 else FIRST + start - 1
    for iteration in range(start, start + 4):
        bases, meta = take(source, iteration)
        assert meta == [1000 + 2 * iteration, 1001 + 2 * iteration]
        for batch in bases:
            assert batch == [2 * base, 2 * base + 1]
            base += 1


def test_the_kind_of_source_follows_the_meta_loader():
    assert isinstance(pooled(), PooledBatches)
    assert isinstance(separate(), SeparateBatches)
    assert pooled().meta_sampler.offset == separate().meta_sampler.offset == 1000


def test_the_iterator_that_has_begun_is_used_at_the_first_batch():
    loader = DataLoader(Identity(), SIZE, sampler=Numbers(0), collate_fn=list)
    source = SeparateBatches(loader, loader, FIRST, iter([["begun"]]))
    source.start(0)
    assert source.next_base() == ["begun"]


@pytest.mark.parametrize("make", [separate, pooled])
def test_a_stopped_source_has_no_batch(make):
    source = make()
    source.start(0)
    source.stop()
    for take_next in (source.next_base, source.next_meta):
        with pytest.raises(StopIteration):
            take_next()
