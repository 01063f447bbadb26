import copy
import pickle

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample

from mmreid_ext.augmentation.mirror import Mirror
from mmreid_ext.augmentation.pending import PendingAugments
from mmreid_ext.datasets.packing.batch_samples import BatchSamples


def samples(labels=True, domains=True):
    facts = [dict(pid=i, **({"domain": i % 2} if domains else {})) for i in range(4)]
    seeds = np.arange(4).astype(np.uint64)
    pending = PendingAugments.drawn((Mirror(0.5),), seeds, np.zeros(4, int), 8, 4)
    return BatchSamples(facts, torch.tensor([5, 6, 7, 8]) if labels else None, pending)


@pytest.mark.parametrize("labels", [True, False])
def test_data_samples_are_made_when_asked_for(labels):
    made = list(samples(labels))
    assert len(made) == len(samples(labels)) == 4 and type(made[0]) is DataSample
    assert [s.pid for s in made] == [0, 1, 2, 3]
    assert ["gt_label" in s for s in made] == [labels] * 4
    if labels:
        assert [s.gt_label.tolist() for s in made] == [[5], [6], [7], [8]]
    with pytest.raises(IndexError):
        samples(labels)[4]


def test_columns_and_rows():
    assert samples().domains == [0, 1, 0, 1] and samples(domains=False).domains == [0] * 4
    some = samples().finished().take([3, 1])
    assert some.labels.tolist() == [8, 6] and [s.pid for s in some] == [3, 1]
    assert samples().finished().pending is None and samples().pending is not None


@pytest.mark.parametrize("carry", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_they_travel(carry):
    carried = carry(samples())
    assert torch.equal(carried.labels, samples().labels) and carried.facts == samples().facts
    assert torch.equal(carried.pending.rows, samples().pending.rows)
