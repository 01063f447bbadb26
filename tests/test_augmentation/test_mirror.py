import numpy as np
import pytest
from helpers.augments import both_ways, draws, pictures

from mmreid_ext.augmentation.mirror import Mirror


@pytest.mark.parametrize("prob", [0.0, 0.3, 1.0])
def test_a_share_is_mirrored(prob):
    rows = draws(Mirror(prob), 4000)
    assert set(np.unique(rows)) <= {0.0, 1.0}
    assert abs(rows.sum() - 4000 * prob) <= 5 * np.sqrt(4000 * prob * (1 - prob))


def test_pixels():
    images = pictures(2)
    for changed in both_ways(Mirror(0.5), images, np.array([[1], [0]], np.float32)):
        assert np.array_equal(changed[0], images[0][:, ::-1])
        assert np.array_equal(changed[1], images[1])
