import numpy as np
import pytest
from helpers.augments import pictures
from mmengine.dataset import default_collate

from mmreid_ext.augmentation.mirror import Mirror
from mmreid_ext.datasets.packing.packed_image import PackedImage


def packed(prob):
    return PackedImage(pictures(1)[0], {}, 0, seed=1, step=0, augments=(Mirror(prob),))


def test_it_can_be_looked_at():
    assert np.array_equal(packed(1.0).augmented(), pictures(1)[0][:, ::-1])
    assert np.array_equal(packed(0.0).augmented(), pictures(1)[0])


def test_a_collation_that_would_lose_the_augmentations_fails():
    with pytest.raises(TypeError):
        default_collate([packed(1.0)])
