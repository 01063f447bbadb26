"""Galleries keep small JPEG files, whoever fills them."""

import numpy as np
import pytest

from mmreid_ext.pictures.decode import decode
from mmreid_ext.pictures.thumbnail import jpeg_thumbnail


@pytest.mark.parametrize(
    "shape, small",
    [
        ((640, 320), (160, 80)),
        ((100, 1000), (16, 160)),
        ((2000, 2), (160, 1)),
        ((64, 32), (64, 32)),
    ],
)
def test_thumbnails_are_small_jpeg_files(shape, small):
    content = jpeg_thumbnail(np.full((*shape, 3), 200, np.uint8))
    assert content.startswith(b"\xff\xd8") and decode(content).shape[:2] == small


def test_the_side_can_be_chosen():
    assert decode(jpeg_thumbnail(np.zeros((64, 32, 3), np.uint8), 16)).shape == (16, 8, 3)
