import numpy as np
import pytest

from mmreid_ext.datasets.isolated_rng import isolated_rng
from mmreid_ext.datasets.transforms import PadCrop
from mmreid_ext.datasets.transforms.pad_crop import shift


def image(height=7, width=5):
    return np.random.default_rng(0).integers(1, 256, (height, width, 3), dtype=np.uint8)


def padded_crop(picture, padding, top, left):
    """The definition: pad, then cut the original size out."""
    margin = padding + 2  # room for the overrun
    canvas = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)))
    y, x = top + margin - padding, left + margin - padding
    return canvas[y : y + picture.shape[0], x : x + picture.shape[1]]


@pytest.mark.parametrize("padding", [0, 2, 10])  # 10 is more than the height: nothing may remain
@pytest.mark.parametrize("overrun", [0, 1])
def test_every_offset_equals_pad_and_crop(padding, overrun):
    transform = PadCrop(padding, overrun)
    for top in range(2 * padding + overrun + 1):
        for left in range(0, 2 * padding + overrun + 1, 3):
            transform.draw_offsets = lambda offsets=(top, left): offsets
            result = transform.transform(dict(img=image()))["img"]
            assert np.array_equal(result, padded_crop(image(), padding, top, left))


@pytest.mark.parametrize("padding, overrun", [(2, 0), (2, 1), (0, 0)])
def test_offsets_are_uniform_with_both_ends(padding, overrun):
    transform = PadCrop(padding, overrun)
    with isolated_rng(0):
        draws = np.array([transform.draw_offsets() for _ in range(6000)])
    largest = 2 * padding + overrun
    for axis in draws.T:
        counts = np.bincount(axis, minlength=largest + 1)
        assert len(counts) == largest + 1
        # 5 standard deviations of a binomial count
        expected = len(axis) / (largest + 1)
        assert np.abs(counts - expected).max() <= 5 * np.sqrt(expected)
    if largest:
        assert abs(np.corrcoef(draws.T)[0, 1]) < 0.07  # top and left are independent


def test_default_is_the_reference():
    assert repr(PadCrop()) == "PadCrop(padding=10, offset_overrun=0)"


def test_input_is_not_changed_and_flipped_views_work():
    picture = image()
    copy = picture.copy()
    shifted = shift(picture[:, ::-1], 1, 0)
    assert np.array_equal(picture, copy)
    assert np.array_equal(shifted[1:], picture[:-1, ::-1]) and not shifted[0].any()
    assert shifted.flags.c_contiguous


def test_negative_numbers_are_refused():
    with pytest.raises(ValueError, match="padding=-1"):
        PadCrop(-1)
