"""Pictures in memory become what OpenCV decodes; tests of tensors are those of ``apis``."""

import numpy as np
import pytest
from PIL import Image

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.pictures.arrays import RGB_TO_BGR, as_bgr, bgr_of_array, is_one_picture, regions

BGR = np.random.default_rng(0).integers(0, 256, (6, 4, 3), np.uint8)
RGB = np.ascontiguousarray(BGR[..., ::-1])


@pytest.mark.parametrize(
    "picture",
    [BGR, np.dstack([BGR, np.full((6, 4), 255, np.uint8)]), Image.fromarray(RGB)],
    ids=["array", "BGRA", "PIL"],
)
def test_every_kind_becomes_what_opencv_decodes(picture):
    assert np.array_equal(as_bgr(picture, "Image 0"), BGR)


def test_an_array_in_the_other_order():
    assert np.array_equal(bgr_of_array(RGB, "Image 0", RGB, order=RGB_TO_BGR), BGR)


@pytest.mark.parametrize("picture", [BGR / 255, BGR[:0], BGR[None]], ids=["float", "empty", "4d"])
def test_what_is_no_picture_is_named(picture):
    with pytest.raises(UserError, match=r"^Image 3 has shape .* expected an array .* a path\.$"):
        as_bgr(picture, "Image 3")
    with pytest.raises(UserTypeError, match="^Image 3 is of type int; those are mine"):
        as_bgr(3, "Image 3", "those are mine")


def test_boxes_of_a_frame():
    found = regions(BGR, [[1, 1, 3, 4], [-5, -5, 2, 2]])
    assert np.array_equal(as_bgr(found[0], "Image 0"), BGR[1:4, 1:3])
    assert np.array_equal(as_bgr(found[1], "Image 1"), BGR[:2, :2])
    assert regions(BGR, []) == regions(BGR, np.zeros((0, 4))) == []
    for wrong in (np.zeros((2, 5)), np.zeros(4), "boxes", [[1, 2, 3]]):
        with pytest.raises(UserError, match="boxes"):
            regions(BGR, wrong)


def test_one_or_several():
    assert all(map(is_one_picture, ["a.jpg", BGR, BGR[..., 0], b"...", *regions(BGR, [[0] * 4])]))
    assert not any(map(is_one_picture, [["a.jpg"], BGR[None], 3, None, np.array(["a", None])]))
