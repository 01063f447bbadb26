"""Moments are read and written in UTC."""

import math
import os

import numpy as np
import pytest
from PIL import Image

from mmreid_ext.cli.gallery.moments import moment_of, of_camera, of_file, shown
from mmreid_ext.errors import UserError

NOON = 1795694400.0  # 2026-11-26 12:00 UTC


def test_an_option_gives_a_moment():
    assert moment_of("2026-11-26T13:00+01:00", "--since") == NOON


@pytest.mark.parametrize("text", ["", "noon", "2026-13-01", "nan", "1e300"])
def test_others_are_refused(text):
    with pytest.raises(UserError, match="--since: "):
        moment_of(text, "--since")


def test_what_is_shown():
    assert shown(NOON + 0.4) == "2026-11-26 12:00:00" and shown(None) == ""
    assert shown(-1.0) == "1969-12-31 23:59:59" and shown(1e300) == "1e+300"


def picture(path, tags):
    image = Image.fromarray(np.zeros((4, 4, 3), np.uint8))
    exif = Image.Exif()
    exif.get_ifd(0x8769).update(tags)
    image.save(path, exif=exif)
    return path


@pytest.mark.parametrize(
    "tags, seconds",
    [
        ({0x9003: "2026:11:26 12:00:00"}, NOON),
        ({0x9003: "2026:11:26 12:00:00", 0x9011: "+02:00"}, NOON - 7200),
        ({0x9003: "2026:11:26 12:00:00", 0x9011: "odd"}, None),
        ({0x9003: "0000:00:00 00:00:00"}, None),
        ({}, None),
    ],
)
def test_the_moment_of_a_camera(tmp_path, tags, seconds):
    assert of_camera(picture(tmp_path / "a.jpg", tags)) == seconds


def test_files_without_a_moment(tmp_path):
    broken = tmp_path / "b.jpg"
    broken.write_bytes(b"\xff\xd8broken")
    assert of_camera(broken) is None
    os.utime(broken, (1, NOON))
    assert of_file(broken) == NOON and math.isfinite(of_file(broken))
