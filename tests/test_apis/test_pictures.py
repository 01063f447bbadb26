import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmreid_ext.apis.pictures import as_bgr, is_one_picture
from mmreid_ext.errors import UserError, UserTypeError

BGR = np.random.default_rng(0).integers(0, 256, (6, 4, 3), np.uint8)
RGB = np.ascontiguousarray(BGR[..., ::-1])
GREY = BGR[..., 0].copy()
OPAQUE = np.full((6, 4), 255, np.uint8)


@pytest.mark.parametrize(
    "picture",
    [
        BGR,
        np.asfortranarray(BGR),
        np.dstack([BGR, OPAQUE]),
        torch.from_numpy(RGB).permute(2, 0, 1),
        torch.from_numpy(np.dstack([RGB, OPAQUE])).permute(2, 0, 1),
        Image.fromarray(RGB),
        Image.fromarray(np.dstack([RGB, OPAQUE])),
    ],
    ids=["array", "by column", "BGRA", "tensor", "RGBA tensor", "PIL", "RGBA PIL"],
)
def test_every_kind_becomes_what_opencv_decodes(picture):
    found = as_bgr(picture, "Image 0")
    assert found.dtype == np.uint8 and np.array_equal(found, BGR)


@pytest.mark.parametrize(
    "picture",
    [GREY, GREY[..., None], torch.from_numpy(GREY), torch.from_numpy(GREY)[None]],
    ids=["(H, W)", "(H, W, 1)", "tensor (H, W)", "tensor (1, H, W)"],
)
def test_grey_has_three_equal_channels(picture):
    assert np.array_equal(as_bgr(picture, "Image 0"), cv2.cvtColor(GREY, cv2.COLOR_GRAY2BGR))


def test_transparent_parts_are_black():
    alpha = OPAQUE.copy()
    alpha[:3] = 0
    for picture in (np.dstack([BGR, alpha]), Image.fromarray(np.dstack([RGB, alpha]))):
        found = as_bgr(picture, "Image 0")
        assert not found[:3].any() and np.array_equal(found[3:], BGR[3:])


def test_exif_data_turn_a_picture_upright():
    picture = Image.fromarray(RGB)
    picture.getexif()[0x0112] = 6  # stored on its side
    assert as_bgr(picture, "Image 0").shape == (4, 6, 3)


@pytest.mark.parametrize(
    "picture",
    [BGR[:0], BGR / 255, BGR.astype(np.uint16), BGR[..., :2], torch.zeros(6, 4, 3).byte()],
    ids=["empty", "floats", "16 bits", "two channels", "channels last"],
)
def test_what_is_no_picture_is_named(picture):
    with pytest.raises(UserError, match="^Image 3 has .*expected an array"):
        as_bgr(picture, "Image 3")
    with pytest.raises(UserTypeError, match="Image 3 is of type bytes"):
        as_bgr(b"...", "Image 3")


def test_one_or_several():
    assert all(map(is_one_picture, ["a.jpg", BGR, GREY, torch.zeros(3, 6, 4), b"..."]))
    assert not any(map(is_one_picture, [["a.jpg"], BGR[None], torch.zeros(1, 3, 6, 4), 3, None]))
