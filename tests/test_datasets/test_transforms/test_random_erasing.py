import math

import numpy as np
import pytest

from mmreid_ext.datasets.isolated_rng import isolated_rng
from mmreid_ext.datasets.transforms import UniformAspectRandomErasing

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
SIZE = 256, 128


def draw_boxes(count, size=SIZE, **options):
    transform = UniformAspectRandomErasing(**options)
    with isolated_rng(0):
        return [transform.draw_box(*size) for _ in range(count)]


def test_half_of_the_images_are_erased():
    erased = sum(box is not None for box in draw_boxes(4000))
    assert abs(erased - 2000) < 5 * math.sqrt(1000)  # 5 standard deviations
    assert not any(draw_boxes(50, prob=0)) and all(draw_boxes(50, prob=1))


def test_boxes_lie_strictly_inside_and_reach_every_edge():
    boxes = np.array(draw_boxes(6000, size=(16, 8), prob=1.0))
    top, left, height, width = boxes.T
    assert height.max() < 16 and width.max() < 8
    assert top.min() == left.min() == 0
    assert (top + height).max() == 16 and (left + width).max() == 8


def test_area_and_aspect_have_the_distribution_of_the_definition():
    """Against the loop written from the definition, with an independent generator."""
    rng = np.random.default_rng(1)

    def reference():
        while True:
            area, aspect = rng.uniform(0.02, 0.4) * 256 * 128, rng.uniform(0.3, 1 / 0.3)
            height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if height < 256 and width < 128:
                return height, width

    expected = np.array([reference() for _ in range(8000)], dtype=float)
    boxes = np.array(draw_boxes(8000, prob=1.0), dtype=float)[:, 2:]
    for statistic in (
        lambda b: np.sort(b[:, 0] * b[:, 1]),
        lambda b: np.sort(b[:, 0] / b[:, 1]),
    ):
        ours, theirs = statistic(boxes), statistic(expected)
        levels = np.quantile(theirs, np.linspace(0.02, 0.98, 49))
        gap = np.abs(np.searchsorted(ours, levels) - np.searchsorted(theirs, levels)) / 8000
        # Kolmogorov-Smirnov at 1e-4 for two samples of 8000: 2.23 * sqrt(2 / 8000); a log-uniform
        # aspect is 0.15 away.
        assert gap.max() < 0.036


def test_an_area_that_fits_nowhere_leaves_the_image():
    picture = np.zeros((16, 8, 3), np.uint8)
    transform = UniformAspectRandomErasing(prob=1.0, area_range=(3.0, 4.0))
    assert not transform.transform(dict(img=picture))["img"].any()


def test_attempts_are_limited():
    """A rectangle that fits once in a thousand tries."""
    boxes = draw_boxes(200, prob=1.0, area_range=(0.9985, 2.0), aspect_range=(1.9, 2.1), attempts=1)
    assert sum(box is not None for box in boxes) < 20


@pytest.mark.parametrize("bgr", [True, False])
def test_float_images_get_the_exact_colour(bgr):
    transform = UniformAspectRandomErasing(prob=1.0, bgr=bgr)
    picture = transform.transform(dict(img=np.zeros((*SIZE, 3))))["img"]
    normalised = (picture[picture.any(-1)] / 255 - (MEAN[::-1] if bgr else MEAN)) / (
        STD[::-1] if bgr else STD
    )
    expected = MEAN[::-1] if bgr else MEAN
    assert len(normalised) and np.abs(normalised - expected).max() < 1e-12  # rounding of float64


def test_bytes_get_the_nearest_colour():
    transform = UniformAspectRandomErasing(prob=1.0)
    picture = transform.transform(dict(img=np.zeros((*SIZE, 3), np.uint8)))["img"]
    colors = np.unique(picture.reshape(-1, 3), axis=0)
    assert colors.tolist() == [[0, 0, 0], [127, 142, 152]]  # BGR
    normalised = (colors[1, ::-1] / 255 - MEAN) / STD
    assert np.abs(normalised - MEAN).max() < 0.006  # what the docstring promises


def test_only_the_box_is_erased():
    transform = UniformAspectRandomErasing(prob=1.0)
    transform.draw_box = lambda height, width: (2, 1, 3, 4)
    picture = transform.transform(dict(img=np.zeros((10, 8, 3), np.uint8)))["img"]
    mask = np.zeros((10, 8), bool)
    mask[2:5, 1:5] = True
    assert np.array_equal(picture.any(-1), mask)


@pytest.mark.parametrize(
    "options",
    [dict(prob=1.5), dict(area_range=(0.4, 0.02)), dict(aspect_range=(0, 1))],
    ids=str,
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        UniformAspectRandomErasing(**options)
