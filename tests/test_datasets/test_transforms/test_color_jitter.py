import numpy as np
import pytest
from helpers.augments import pictures

from mmreid_ext.datasets.transforms import ReIDColorJitter


def test_settings_reach_the_augmentation():
    assert ReIDColorJitter().augment == ReIDColorJitter(0.15, 0.15, 0.1, 0.1, 1.0, True).augment
    assert ReIDColorJitter(bgr=False).augment.bgr is False
    (image,) = pictures(1)
    changed = ReIDColorJitter().transform(dict(img=image, draw_seed=3))["img"]
    assert changed.dtype == np.uint8 and not np.array_equal(changed, image)


def test_mistakes_are_refused():
    with pytest.raises(ValueError, match="hue=0.6"):
        ReIDColorJitter(hue=0.6)
    with pytest.raises(TypeError, match="float32"):
        ReIDColorJitter().transform(dict(img=np.zeros((4, 4, 3), np.float32)))
