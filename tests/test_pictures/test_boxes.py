import numpy as np
import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.pictures.boxes import (
    box_edges,
    box_message,
    clipped,
    crop,
    crop_edges,
    picture_key,
)

IMAGE = np.arange(6 * 5 * 3, dtype=np.uint8).reshape(6, 5, 3)


def test_a_crop_is_a_slice():
    assert np.array_equal(crop(IMAGE, (1, 2, 3, 4)), IMAGE[2:6, 1:4])
    assert crop(IMAGE, (1, 2, 3, 4)).flags["C_CONTIGUOUS"]


def test_fractions_are_rounded_edge_by_edge():
    assert box_edges((0.6, 1.4, 2.6, 1.0)) == (1, 1, 3, 2)  # 0.6 + 2.6 = 3.2


@pytest.mark.parametrize(
    "box, message",
    [
        ((-1, 0, 2, 2), "sticks out of the picture of 5 x 6 pixels"),
        ((0, 0, 6, 2), "sticks out"),
        ((0, 3, 2, 4), "sticks out"),
        ((0, 0, 0, 2), "holds no pixel"),
        ((0, 0, 0.2, 2), "holds no pixel"),
        ((0, float("nan"), 1, 2), "not finite"),
    ],
)
def test_what_is_wrong_with_a_box(box, message):
    assert message in box_message(box, (5, 6))
    with pytest.raises(UserError, match=message):
        crop(IMAGE, box)


def test_the_whole_picture_is_a_box():
    assert box_message((0, 0, 5, 6), (5, 6)) is None
    assert box_message((0, 0, 500, 6), None) is None


def test_boxes_are_cut_off_at_the_edge():
    assert clipped((-2, 1, 4, 9), (5, 6)) == (0, 1, 2, 5)
    assert clipped((5, 0, 3, 3), (5, 6)) is None
    assert clipped((float("inf"), 0, 3, 3), (5, 6)) is None


def test_two_crops_of_a_picture_are_two_pictures():
    assert picture_key("a.jpg", {}) == "a.jpg"
    assert picture_key("a.jpg", {"box": (1.2, 2, 3, 4)}) == "a.jpg#xywh=1,2,3,4"


def test_edges_of_a_detector_hold_the_pixels_of_the_box_and_are_cut_off():
    generator = np.random.default_rng(0)
    found = 0
    for _ in range(300):
        digits = int(generator.integers(3))
        x, y, w, h = generator.uniform(-1, 6, 4).round(digits).tolist()
        part = clipped((x, y, w, h), (5, 6))
        edges = (x, y, x + w, y + h)
        if part is None:
            with pytest.raises(UserError, match=r"^Box 3 is \(.* holds no pixel of the picture"):
                crop_edges(IMAGE, edges, "Box 3")
            continue
        found += 1
        assert np.array_equal(crop_edges(IMAGE, np.array(edges), "Box 3"), crop(IMAGE, part))
    assert 30 < found < 270
    assert np.array_equal(crop_edges(IMAGE, (-1e30, -3, 1e30, 99), "Box 0"), IMAGE)
    assert crop_edges(IMAGE, (1, 2, 3, 4), "Box 0").flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("edges", [(0, 0, np.nan, 4), (0, -np.inf, 3, 4), (0, 1, 2)])
def test_edges_that_are_none_are_named(edges):
    with pytest.raises(UserError, match="^Box 7 is .*must be four finite numbers"):
        crop_edges(IMAGE, edges, "Box 7")
