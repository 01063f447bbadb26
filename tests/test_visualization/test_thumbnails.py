"""Thumbnails: size, orientation, metadata, and files that can't be read."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from mmreid_ext.visualization.thumbnails import ThumbnailReader


def opened(text):
    return Image.open(io.BytesIO(base64.b64decode(text)))


def test_images_are_shrunk_and_never_enlarged(tmp_path):
    Image.new("RGB", (60, 200)).save(tmp_path / "large.png")
    Image.new("L", (7, 20)).save(tmp_path / "small.png")
    reader = ThumbnailReader(tmp_path, height=50)
    assert reader.image("large.png").size == (15, 50)
    assert reader.image("small.png").size == (7, 20) and reader.image("small.png").mode == "RGB"
    assert reader.missing == []


def test_a_photo_is_turned_as_its_camera_says_and_loses_its_metadata(tmp_path):
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, :20] = 255  # white on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown after a quarter turn clockwise
    exif[0x010F] = "maker"
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)
    reader = ThumbnailReader(tmp_path)
    turned = np.asarray(reader.image("a.png"))
    assert turned.shape == (40, 20, 3) and turned[5].min() == 255 and turned[35].max() == 0
    stored = opened(reader.base64_jpeg("a.png"))
    assert stored.format == "JPEG" and not dict(stored.getexif())


def test_a_file_is_read_once(tmp_path):
    Image.new("RGB", (4, 8)).save(tmp_path / "a.png")
    reader = ThumbnailReader(tmp_path)
    text = reader.base64_jpeg("a.png")
    (tmp_path / "a.png").unlink()
    assert reader.base64_jpeg("a.png") == text


def test_a_stand_in_for_what_cannot_be_read(tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    reader = ThumbnailReader(tmp_path, height=40, aspect_ratio=0.25)
    for name in ("none.jpg", "text.jpg", "none.jpg", "bad\0name.jpg"):
        assert reader.image(name).size == (10, 40)
    assert reader.missing == ["none.jpg", "text.jpg", "bad\0name.jpg"]
    colours = reader.image("none.jpg").getcolors()
    assert len(colours) > 1, "a box with a cross, not a blank one"


def test_a_height_that_shows_nothing_is_refused():
    with pytest.raises(ValueError, match="height=7 must be at least 8 pixels"):
        ThumbnailReader(height=7)


def test_names_do_not_lead_out_of_the_folder(tmp_path):
    Image.new("RGB", (20, 40)).save(tmp_path / "private.png")
    (tmp_path / "set").mkdir()
    reader = ThumbnailReader(tmp_path / "set")
    reader.image("../private.png")
    assert reader.missing == ["../private.png"]
    free = ThumbnailReader()
    free.image(str(tmp_path / "set" / ".." / "private.png"))
    assert free.missing == []
