import pytest
import torch
from mmpretrain.structures import DataSample

from mmreid_ext.datasets.packing.batch_samples import BatchSamples
from mmreid_ext.models.batch_targets import domains_of, integers_on, read_targets, samples_at

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


def test_columns_are_read_without_making_data_samples():
    facts = [dict(domain=2), {}, dict(domain=1)]
    columns = BatchSamples(facts, torch.tensor([4, 5, 6]))
    pids, domains = read_targets(columns, torch.device("cpu"))
    assert pids.tolist() == [4, 5, 6] and domains.tolist() == domains_of(columns) == [2, 0, 1]
    assert domains_of(list(columns)) == [2, 0, 1]
    for given in (columns, list(columns)):
        assert [s.gt_label.item() for s in samples_at(given, [2, 0])] == [6, 4]
