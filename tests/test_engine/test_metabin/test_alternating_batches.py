from itertools import islice

import pytest
from torch.utils.data import BatchSampler, SequentialSampler

from mmreid_ext.engine.metabin.alternating_batches import AlternatingBatches


class Seekable:
    """An endless stream that counts from where it is told to start."""

    start = 0

    def set_start(self, iteration):
        self.start = 10 * iteration

    def __iter__(self):
        number = self.start
        while True:
            yield number
            number += 5


def batches(sampler, size=2):
    return BatchSampler(sampler, size, drop_last=True)


@pytest.mark.parametrize("extra", [1, 3])
@pytest.mark.parametrize("start", [0, 1, 4])
def test_each_iteration_takes_the_next_of_both(extra, start):
    both = AlternatingBatches(batches(Seekable()), batches(SequentialSampler(range(4))), extra)
    whole = []
    base = 0
    for iteration in range(8):
        for _ in range(extra if iteration == 0 else 1):
            whole.append((iteration, [10 * base, 10 * base + 5]))
            base += 1
        whole.append((iteration, [[0, 1], [2, 3]][iteration % 2]))  # two batches, again and again
    expected = [batch for iteration, batch in whole if iteration >= start]
    for _ in range(2):  # a second walk begins where the first did
        both.set_start(start)
        assert list(islice(both, len(expected))) == expected


def test_a_sampler_without_a_batch_is_named():
    both = AlternatingBatches(batches(SequentialSampler(range(3)), 4), batches(Seekable()))
    with pytest.raises(ValueError, match="SequentialSampler has no batch of 4 images"):
        next(iter(both))


def test_a_finite_sampler_is_told_its_epoch():
    class Shuffled(SequentialSampler):
        epoch = 0

        def set_epoch(self, epoch):
            self.epoch = epoch

        def __iter__(self):
            return iter([100 * self.epoch, 100 * self.epoch + 1])

    both = AlternatingBatches(batches(Shuffled(range(2))), batches(Seekable()))
    assert list(islice(both, 6))[::2] == [[0, 1], [100, 101], [200, 201]]
