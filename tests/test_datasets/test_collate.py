import copy
import pickle

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample
from torch.utils.data import DataLoader

from mmreid_ext.datasets.collate import SampleList, reid_collate
from mmreid_ext.datasets.transforms import PackReIDInputs
from mmreid_ext.registry import FUNCTIONS

FACTS = dict(
    sample_idx=4, img_path="a.jpg", pid=7, camid=1, domain=2, role="train", dataset="market"
)


def image(shape=(6, 4, 3), dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


def items(count=3, labels=True):
    made = []
    for i in range(count):
        facts = dict(FACTS, sample_idx=i, **({"gt_label": i} if labels else {}))
        made.append(PackReIDInputs()(dict(facts, img=image() + i)))
    return made


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("carry", [copy.copy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_batch_and_its_journey(labels, carry):
    given = items(labels=labels)
    batch = reid_collate(given)
    assert torch.equal(batch["inputs"], torch.stack([item["inputs"] for item in given]))
    samples = carry(batch["data_samples"])
    assert type(samples) is SampleList
    assert len(samples) == 3
    for sample, item in zip(samples, given, strict=True):
        assert sample.metainfo == item["data_samples"].metainfo
        assert ("gt_label" in sample) == labels
        if labels:
            assert torch.equal(sample.gt_label, item["data_samples"].gt_label)


def test_samples_with_more_than_labels_keep_everything():
    sample = DataSample(metainfo=FACTS).set_gt_label(1)
    sample.set_field(torch.ones(2), "pred_embedding")
    (carried,) = pickle.loads(pickle.dumps(SampleList([sample])))
    assert torch.equal(carried.pred_embedding, torch.ones(2))
    assert carried.gt_label.tolist() == [1]


def test_name_in_configurations():
    assert FUNCTIONS.get("mmreid_ext.reid_collate") is reid_collate


def test_through_worker_processes():
    loader = DataLoader(items(4), batch_size=2, num_workers=1, collate_fn=reid_collate)
    batches = list(loader)
    assert [s.gt_label.tolist() for b in batches for s in b["data_samples"]] == [[0], [1], [2], [3]]
    assert torch.equal(batches[1]["inputs"], reid_collate(items(4)[2:])["inputs"])
