"""Files are told by their first bytes."""

import os

import pytest
from PIL import Image, features

from mmreid_ext.datasets.checks.first_bytes import (
    no_picture_message,
    picture_kind,
    read_first,
    suffix_kind,
)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".gif", ".tif", ".webp", ".ppm"])
def test_formats_that_pillow_writes_are_known(suffix, tmp_path):
    if suffix == ".webp" and not features.check("webp"):
        pytest.skip("this Pillow writes no WebP")
    path = tmp_path / f"x{suffix}"
    Image.new("RGB", (4, 8)).save(path)
    assert picture_kind(read_first(str(path))) == suffix_kind(str(path)) is not None


def test_phone_formats_are_known():
    assert picture_kind(b"\0\0\0\x18ftypheic\0\0\0\0") == suffix_kind("a.HEIC") == "HEIC"
    assert picture_kind(b"\0\0\0\x1cftypavif\0\0\0\0") == suffix_kind("a.avif") == "AVIF"
    assert picture_kind(b"\0\0\0\x1cftypisom\0\0\0\0") is None  # a film


@pytest.mark.parametrize(
    "first, words",
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"\n <!DOCTYPE html>", "web page"),
        (b"<html>", "web page"),
        (b"\xff\xd8\xff", None),
        (b"something", None),
    ],
)
def test_what_is_certainly_no_picture(first, words):
    found = no_picture_message(first)
    assert found is None if words is None else words in found


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_first(str(tmp_path / "pipe"))
