"""Our packing beside MMPretrain's."""

import numpy as np
import pytest
import torch
from mmpretrain.datasets.transforms import PackInputs

from mmreid_ext.datasets.transforms import PackReIDInputs
from mmreid_ext.datasets.transforms.pack_inputs import META_KEYS

FACTS = dict(
    sample_idx=4, img_path="a.jpg", pid=7, camid=1, domain=2, role="train", dataset="market"
)


def image(shape=(6, 4, 3), dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


@pytest.mark.parametrize(
    "make",
    [
        image,
        lambda: image()[:, ::-1],
        lambda: image((6, 4)),
        lambda: image((6, 4, 1)),
        lambda: image(dtype=np.float32),
    ],
    ids=["colour", "mirrored", "grey", "one plane", "float"],
)
def test_packs_what_mmpretrain_packs(make):
    facts = dict(FACTS, gt_label=3, more=1)
    ours = PackReIDInputs()(dict(facts, img=make()))
    theirs = PackInputs(meta_keys=META_KEYS)(dict(facts, img=make()))
    assert torch.equal(ours["inputs"], theirs["inputs"])
    assert ours["inputs"].dtype == theirs["inputs"].dtype
    assert ours["inputs"].is_contiguous()
    assert ours["data_samples"].metainfo == theirs["data_samples"].metainfo == FACTS
    assert ours["data_samples"].gt_label.tolist() == [3]
