import cv2
import numpy as np
import pytest
import torchvision.transforms.functional as reference
from PIL import Image

from mmreid_ext.datasets.isolated_rng import isolated_rng
from mmreid_ext.datasets.transforms import ReIDColorJitter
from mmreid_ext.datasets.transforms.color_jitter import OPERATIONS

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
    ours = OPERATIONS[3](picture(), turns, True).astype(int)
    gap = np.abs(ours - torchvision_result(3, picture(), turns))
    # The picture is more saturated than photographs (0.1 there); one step of hue more gives 1.5.
    assert gap.mean() < 0.8


@pytest.mark.parametrize("operation, factor", [(0, 0.7), (1, 0.7), (2, 0.4), (3, 0.1)])
def test_channel_order_is_respected(operation, factor):
    bgr = OPERATIONS[operation](picture(), factor, True)
    rgb = OPERATIONS[operation](np.ascontiguousarray(picture()[..., ::-1]), factor, False)
    assert np.array_equal(bgr, rgb[..., ::-1])


def draws(count=3000, **options):
    transform = ReIDColorJitter(**options)
    with isolated_rng(0):
        return [transform.draw_changes() for _ in range(count)]


def test_factors_are_uniform_in_the_ranges_of_the_reference():
    factors = {i: [] for i in range(4)}
    for changes in draws():
        for operation, factor in changes:
            factors[operation].append(factor)
    for operation, (low, high) in enumerate([(0.85, 1.15), (0.85, 1.15), (0.9, 1.1), (-0.1, 0.1)]):
        values = np.array(factors[operation])
        assert len(values) == 3000 and low <= values.min() and values.max() <= high
        deciles = np.quantile(values, np.linspace(0.1, 0.9, 9))
        expected = low + (high - low) * np.linspace(0.1, 0.9, 9)
        assert np.abs(deciles - expected).max() < 0.05 * (high - low)  # 5 sigma of 3000 draws


def test_all_orders_come_equally_often():
    orders = [tuple(operation for operation, _ in changes) for changes in draws(4800)]
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 24 and np.abs(counts - 200).max() < 5 * np.sqrt(200)


def test_probability_and_amounts_of_zero():
    changed = sum(bool(changes) for changes in draws(2000, prob=0.25))
    assert abs(changed - 500) < 5 * np.sqrt(2000 * 0.25 * 0.75)
    assert draws(5, brightness=0, contrast=0, saturation=0, hue=0) == [[]] * 5
    assert {operation for changes in draws(5, hue=0) for operation, _ in changes} == {0, 1, 2}


def test_the_changes_are_applied_in_order():
    transform = ReIDColorJitter()
    transform.draw_changes = lambda: [(3, 0.1), (0, 1.15), (2, 0.9)]
    pixels = picture()
    result = transform.transform(dict(img=pixels))["img"]
    expected = pixels
    for operation, factor in [(3, 0.1), (0, 1.15), (2, 0.9)]:
        expected = OPERATIONS[operation](expected, factor, True)
    assert np.array_equal(result, expected)
    assert np.array_equal(pixels, picture())  # the input is not written to


def test_mistakes_are_refused():
    with pytest.raises(ValueError, match="hue=0.6"):
        ReIDColorJitter(hue=0.6)
    with pytest.raises(TypeError, match="float32"):
        ReIDColorJitter().transform(dict(img=np.zeros((4, 4, 3), np.float32)))
