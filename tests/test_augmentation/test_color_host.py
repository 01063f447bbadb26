import colorsys

import cv2
import numpy as np
import pytest
import torchvision.transforms.functional as reference
from PIL import Image

from mmreid_ext.augmentation.color_host import OPERATIONS, hue_turn, mean_gray

REFERENCES = (
    reference.adjust_brightness,
    reference.adjust_contrast,
    reference.adjust_saturation,
    reference.adjust_hue,
)


def picture(height=64, width=32):
    """Smooth coloured blobs with a little noise, BGR: what a photograph looks like to a filter."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(20, 235, (8, 4, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(int)
    return (smooth + rng.integers(-6, 7, smooth.shape)).clip(0, 255).astype(np.uint8)


def torchvision_result(operation, pixels, factor):
    image = Image.fromarray(np.ascontiguousarray(pixels[..., ::-1]))
    return np.array(REFERENCES[operation](image, factor))[..., ::-1].astype(int)


@pytest.mark.parametrize(
    "operation, factor", [(0, 0.5), (0, 1.4), (1, 0.6), (1, 1.3), (2, 0.2), (2, 1.5)]
)
def test_within_one_level_of_torchvision(operation, factor):
    ours = OPERATIONS[operation](picture(), factor, True).astype(int)
    theirs = torchvision_result(operation, picture(), factor)
    # PIL blends in float32 and cuts; the grey of OpenCV and of PIL differ by one level at most
    assert np.abs(ours - theirs).max() <= 1
    assert np.abs(theirs - picture()).mean() > 3  # the operation does something


@pytest.mark.parametrize("turns", [-0.5, -0.1, 0.05, 0.1, 0.33])
def test_hue_agrees_with_torchvision_up_to_8_bit_hsv(turns):
    ours = OPERATIONS[3](picture(), int(turns * 255), True).astype(int)
    gap = np.abs(ours - torchvision_result(3, picture(), turns))
    # The picture is more saturated than photographs (0.1 there); one step of hue more gives 1.5.
    assert gap.mean() < 0.8


@pytest.mark.parametrize("operation, factor", [(0, 0.7), (1, 0.7), (2, 0.4), (3, 25), (3, -100)])
def test_channel_order_is_respected(operation, factor):
    bgr = OPERATIONS[operation](picture(), factor, True)
    rgb = OPERATIONS[operation](np.ascontiguousarray(picture()[..., ::-1]), factor, False)
    assert np.array_equal(bgr, rgb[..., ::-1])


@pytest.mark.parametrize("steps", [-127, -90, -43, -1, 0, 1, 20, 42, 43, 85, 86, 127])
def test_hue_is_turned_exactly_and_rounded(steps):
    """Against Python's own conversion, pixel by pixel; extremes and greys among the colours."""
    colors = np.random.default_rng(1).integers(0, 256, (400, 3)).astype(np.uint8)
    colors[:60] = colors[:60] // 128 * 255
    colors[60:80, 1] = colors[60:80, 0]
    turned = OPERATIONS[3](colors[None], steps, False)[0]
    for color, result in zip(colors.tolist(), turned.tolist(), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*(level / 255 for level in color))
        exact = colorsys.hsv_to_rgb((hue + steps / 256) % 1, saturation, value)
        # half a level of rounding, and the rounding of float64
        assert np.abs(np.array(exact) * 255 - result).max() <= 0.5 + 1e-9


def test_grey_pixels_stay_as_they_are_where_they_must():
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    for operation, factor in ((2, 0.3), (2, 1.7), (3, 50)):
        assert np.array_equal(OPERATIONS[operation](gray, factor, True), gray)


def test_turns_are_split_into_thirds_and_the_rest():
    assert hue_turn(0) == (0, 0)
    for steps in range(-255, 256):
        thirds, rest = hue_turn(steps)
        assert 0 <= thirds < 3 and -256 <= rest < 256
        assert (512 * thirds + rest - 6 * steps) % 1536 == 0


def test_mean_grey_is_rounded():
    assert mean_gray([10, 10, 10], 4) == 3  # 2.5 and a half up, as int(mean + 0.5)
    assert mean_gray([255, 0, 0], 1) == 76
