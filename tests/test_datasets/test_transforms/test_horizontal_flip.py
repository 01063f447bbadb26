import numpy as np
import pytest
from helpers.augments import pictures
from mmcv.transforms import RandomFlip

from mmreid_ext.datasets.isolated_rng import isolated_rng
from mmreid_ext.datasets.transforms import HorizontalFlip


@pytest.mark.parametrize("prob", [0.0, 0.3, 1.0])
def test_pixels_are_those_of_mmcv(prob):
    (image,) = pictures(1, 6, 4)
    mirrored = RandomFlip(1.0)(dict(img=image))["img"]
    count = 0
    with isolated_rng(0):  # without a seed of its own, an image takes one from NumPy's generator
        for _ in range(200):
            result = HorizontalFlip(prob)(dict(img=image))["img"]
            is_mirrored = np.array_equal(result, mirrored)
            assert is_mirrored or np.array_equal(result, image)
            assert result.flags.c_contiguous
            count += is_mirrored
    assert abs(count - 200 * prob) <= 5 * np.sqrt(200 * prob * (1 - prob))


def test_impossible_probabilities_are_refused():
    with pytest.raises(ValueError, match="prob=1.5"):
        HorizontalFlip(1.5)
