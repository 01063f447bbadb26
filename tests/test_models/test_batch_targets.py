import pytest
import torch
from mmpretrain.structures import DataSample

from mmreid_ext.models.batch_targets import integers_on, read_targets

CPU = torch.device("cpu")


def samples(labels=(0, 0, 1), **meta):
    return [DataSample(metainfo=meta).set_gt_label(label) for label in labels]


def test_targets_of_a_batch():
    labels, domains = read_targets(samples((5, 0, 2), domain=3), CPU)
    assert labels.tolist() == [5, 0, 2] and domains.tolist() == [3, 3, 3]
    assert read_targets(samples(), CPU)[1].tolist() == [0, 0, 0]


@pytest.mark.parametrize("values", [[3, -1], range(2), ()])
def test_integers_are_int64(values):
    found = integers_on(CPU, values)
    assert found.dtype == torch.int64
    assert found.tolist() == list(values)
