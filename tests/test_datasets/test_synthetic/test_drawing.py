"""A drawn person."""

import cv2
import numpy as np
import pytest
from helpers.synthetic_people import someone

from mmreid_ext.datasets.synthetic.drawing import draw_figure

VIEWS = ("front", "back", "left", "right")


@pytest.mark.parametrize("view", VIEWS)
def test_a_figure_is_one_standing_person(view):
    for pid in range(30):
        image, mask = draw_figure(someone(pid), view, 0.2)
        assert image.shape == (256, 128, 3) and mask.shape == (256, 128)
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        largest = stats[1:, cv2.CC_STAT_AREA].max() / stats[1:, cv2.CC_STAT_AREA].sum()
        assert largest > 0.97, "parts of the body float in the air"
        rows = np.flatnonzero(mask.any(1))
        assert rows[0] < 25 and rows[-1] > 238
        assert 0.12 < (mask > 0).mean() < 0.55


def histogram(image, mask):
    """Colours of a person, 4 levels per channel."""
    colors = image[mask > 0] // 64 @ np.array([16, 4, 1])
    return np.bincount(colors, minlength=64) / len(colors)


def test_identity_is_the_same_from_all_sides():
    """The colours of a person seen from another side resemble those of the same person most."""
    people = [someone(pid) for pid in range(20)]
    front = np.array([histogram(*draw_figure(p, "front", 0.1)) for p in people])
    for view in ("back", "left", "right"):
        other = np.array([histogram(*draw_figure(p, view, 0.6)) for p in people])
        overlap = np.minimum(front[:, None], other[None]).sum(-1)
        hits = (overlap.argmax(1) == np.arange(20)).mean()
        assert hits >= 0.7, (view, hits)  # 0.05 by chance


def test_left_is_right_mirrored():
    person = someone(0)
    right, left = draw_figure(person, "right", 0.3)[1], draw_figure(person, "left", 0.3)[1]
    overlap = (right[:, ::-1] & left).sum() / (right | left[:, ::-1]).sum()
    assert overlap > 0.85  # all but a handbag on the far side
