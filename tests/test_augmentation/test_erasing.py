import math

import numpy as np
from helpers.augments import both_ways, draws, pictures

from mmreid_ext.augmentation.erasing import Erasing

COLOR = (126.8, 142.3, 152.0)


def erasing(prob=0.5, area=(0.02, 0.4), aspect=(0.3, 1 / 0.3), attempts=100):
    return Erasing(prob, area, aspect, COLOR, attempts)


def boxes(augment, count, height=256, width=128):
    return draws(augment, count, height, width)[:, :4]


def test_half_of_the_images_are_erased():
    erased = boxes(erasing(), 4000).any(1).sum()
    assert abs(erased - 2000) < 5 * math.sqrt(1000)  # 5 standard deviations
    assert not boxes(erasing(prob=0), 50).any() and boxes(erasing(prob=1), 50)[:, 2:].all()


def test_boxes_lie_strictly_inside_and_reach_every_edge():
    top, left, height, width = boxes(erasing(prob=1.0), 6000, 16, 8).T
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
    found = boxes(erasing(prob=1.0), 8000)[:, 2:].astype(float)
    for statistic in (
        lambda b: np.sort(b[:, 0] * b[:, 1]),
        lambda b: np.sort(b[:, 0] / b[:, 1]),
    ):
        ours, theirs = statistic(found), statistic(expected)
        levels = np.quantile(theirs, np.linspace(0.02, 0.98, 49))
        gap = np.abs(np.searchsorted(ours, levels) - np.searchsorted(theirs, levels)) / 8000
        # Kolmogorov-Smirnov at 1e-4 for two samples of 8000: 2.23 * sqrt(2 / 8000); a log-uniform
        # aspect is 0.15 away.
        assert gap.max() < 0.036


def test_what_fits_nowhere_is_left_and_attempts_are_limited():
    assert not boxes(erasing(prob=1.0, area=(3.0, 4.0)), 20, 16, 8).any()
    rare = erasing(
        1.0, area=(0.9985, 2.0), aspect=(1.9, 2.1), attempts=1
    )  # fits once in a thousand
    assert boxes(rare, 200).any(1).sum() < 20


def test_only_the_box_is_erased_with_the_nearest_colour():
    images = np.zeros((2, 10, 8, 3), np.uint8)
    rows = np.array([[2, 1, 3, 4, *COLOR], [0, 0, 0, 0, *COLOR]], np.float32)
    for changed in both_ways(erasing(), images, rows):
        assert (changed[0, 2:5, 1:5] == [127, 142, 152]).all()
        changed[0, 2:5, 1:5] = 0
        assert not changed.any()


def test_float_images_get_the_exact_colour():
    image = np.zeros((10, 8, 3))
    erased = erasing().change_image(image, [0, 0, 2, 2, *COLOR])
    assert erased[0, 0].tolist() == list(COLOR) and not image.any()
    assert pictures(1).any()
