import numpy as np
import pytest
from helpers.augments import both_ways, draws, pictures

from mmreid_ext.augmentation.shift import Shift, shifted


def padded_crop(picture, padding, top, left):
    """The definition: pad, then cut the original size out."""
    margin = padding + 2  # room for the overrun
    canvas = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)))
    y, x = top + margin - padding, left + margin - padding
    return canvas[y : y + picture.shape[0], x : x + picture.shape[1]]


@pytest.mark.parametrize("padding", [0, 2, 10])  # 10 is more than the height: nothing may remain
@pytest.mark.parametrize("overrun", [0, 1])
def test_every_offset_equals_pad_and_crop(padding, overrun):
    largest = 2 * padding + overrun
    offsets = [(t, le) for t in range(largest + 1) for le in range(0, largest + 1, 3)]
    images = pictures(len(offsets), 7, 5)
    rows = padding - np.array(offsets, np.float32)
    for changed in both_ways(Shift(padding, overrun), images, rows):
        for image, result, offset in zip(images, changed, offsets, strict=True):
            assert np.array_equal(result, padded_crop(image, padding, *offset))


@pytest.mark.parametrize("padding, overrun", [(2, 0), (2, 1), (0, 0)])
def test_offsets_are_uniform_with_both_ends(padding, overrun):
    offsets = padding - draws(Shift(padding, overrun), 6000).astype(int)
    largest = 2 * padding + overrun
    for axis in offsets.T:
        counts = np.bincount(axis, minlength=largest + 1)
        assert len(counts) == largest + 1
        # 5 standard deviations of a binomial count
        expected = len(axis) / (largest + 1)
        assert np.abs(counts - expected).max() <= 5 * np.sqrt(expected)
    if largest:
        assert abs(np.corrcoef(offsets.T)[0, 1]) < 0.07  # top and left are independent


def test_input_is_not_changed_and_flipped_views_work():
    (picture,) = pictures(1, 7, 5)
    copy = picture.copy()
    result = shifted(picture[:, ::-1], 1, 0)
    assert np.array_equal(picture, copy)
    assert np.array_equal(result[1:], picture[:-1, ::-1]) and not result[0].any()
    assert result.flags.c_contiguous
