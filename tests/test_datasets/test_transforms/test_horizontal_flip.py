import numpy as np
import pytest
from mmcv.transforms import RandomFlip

from mmreid_ext.datasets.isolated_rng import isolated_rng
from mmreid_ext.datasets.transforms import HorizontalFlip


@pytest.mark.parametrize("prob", [0.0, 0.3, 0.5, 1.0])
def test_draws_and_pixels_are_those_of_mmcv(prob):
    picture = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    mirrored = 0
    for seed in range(200):
        with isolated_rng(seed):
            theirs = RandomFlip(prob)(dict(img=picture))["img"], np.random.rand()
        with isolated_rng(seed):
            ours = HorizontalFlip(prob)(dict(img=picture))["img"], np.random.rand()
        assert np.array_equal(ours[0], theirs[0]) and ours[1] == theirs[1]
        assert ours[0].flags.c_contiguous
        mirrored += np.array_equal(ours[0], picture[:, ::-1])
    assert abs(mirrored - 200 * prob) <= 5 * np.sqrt(200 * prob * (1 - prob))


def test_impossible_probabilities_are_refused():
    with pytest.raises(ValueError, match="prob=1.5"):
        HorizontalFlip(1.5)
