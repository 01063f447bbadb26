import numpy as np
import pytest
from helpers.augments import pictures
from mmcv.transforms import RandomFlip

from mmreid_ext.augmentation.mirror import Mirror
from mmreid_ext.augmentation.shift import Shift
from mmreid_ext.datasets.transforms import HorizontalFlip, PackForDevice, PadCrop
from mmreid_ext.errors import UserError, UserTypeError

AUGMENTS = [dict(type="mmreid_ext.HorizontalFlip", prob=0.3), PadCrop(4)]
FACTS = dict(sample_idx=4, img_path="a.jpg", pid=7, camid=1, domain=2, role="train")


def test_the_image_stays_as_it_is():
    image = pictures(1)[0]
    packed = PackForDevice(AUGMENTS)(dict(FACTS, img=image, gt_label=3, more=1, draw_seed=9))
    assert packed.image is image and packed.facts == FACTS
    assert (packed.label, packed.seed, packed.step) == (3, 9, 0)
    assert packed.augments == (Mirror(0.3), Shift(4))


def test_steps_before_it_are_counted():
    results = dict(FACTS, img=pictures(1)[0], draw_seed=9)
    packed = PackForDevice([PadCrop(4)])(HorizontalFlip(0.5)(results))
    whole = PadCrop(4)(HorizontalFlip(0.5)(dict(FACTS, img=pictures(1)[0], draw_seed=9)))
    assert packed.step == 1 and np.array_equal(packed.augmented(), whole["img"])


def test_what_cannot_run_on_batches_is_refused():
    with pytest.raises(UserError, match="augments has RandomFlip"):
        PackForDevice([RandomFlip(0.5)])
    with pytest.raises(UserTypeError, match="float64"):
        PackForDevice()(dict(img=np.zeros((4, 4, 3))))
