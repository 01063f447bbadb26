import pytest

from mmreid_ext.augmentation.shift import Shift
from mmreid_ext.datasets.transforms import PadCrop


def test_default_is_the_reference():
    assert repr(PadCrop()) == "PadCrop(padding=10, offset_overrun=0)"
    assert PadCrop(3, 1).augment == Shift(3, 1)


def test_negative_numbers_are_refused():
    with pytest.raises(ValueError, match="padding=-1"):
        PadCrop(-1)
