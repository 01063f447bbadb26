"""A file is read with all checks, and what is wrong with it is said with its name."""

import errno

import cv2
import numpy as np
import pytest
from PIL import Image

from mmreid_ext.pictures import read as module
from mmreid_ext.pictures.read import (
    UnreadableImageError,
    decode_content,
    is_of_the_machine,
    read_picture,
)

RGBA = np.full((6, 4, 4), (200, 100, 50, 255), np.uint8)


def test_transparent_parts_are_black_and_pictures_upright(tmp_path):
    rgba = RGBA.copy()
    rgba[:3, :, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png")
    assert not found[:3].any() and (found[3:] == (50, 100, 200)).all()
    picture = Image.fromarray(RGBA[..., :3])
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert read_picture(tmp_path / "a.jpg").shape == (4, 6, 3)


def test_what_is_wrong_is_said_with_the_name(tmp_path):
    file = tmp_path / "a.jpg"
    with pytest.raises(UnreadableImageError, match=r"Cannot read image '.*a\.jpg': .*No such"):
        read_picture(file)
    content = cv2.imencode(".jpg", RGBA[..., :3])[1].tobytes()
    for wrong, reason in ((b"", "empty"), (content[:-9], "cut off"), (b"text", "not an image")):
        file.write_bytes(wrong)
        with pytest.raises(UnreadableImageError, match=reason):
            read_picture(file)
    with pytest.raises(OSError, match="more than max_pixels=20"):
        decode_content(content, max_pixels=20)


def test_troubles_of_the_machine_are_no_fault_of_a_picture(tmp_path, monkeypatch):
    def fail(path):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(module, "read_regular_file", fail)
    with pytest.raises(OSError, match="Too many") as caught:
        read_picture(tmp_path)
    assert not isinstance(caught.value, UnreadableImageError)
    assert is_of_the_machine(MemoryError()) and not is_of_the_machine(OSError("broken"))
