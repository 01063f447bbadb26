"""A PNG file is followed chunk by chunk before a decoder believes its lengths."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from mmreid_ext.pictures.png_structure import PNG_START, check_png


def png(*shape):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    return cv2.imencode(".png", image)[1].tobytes()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def header(width, height, bits=8, colours=2):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0))


def test_whole_files_pass_whatever_follows_them():
    for content in (png(20, 30), png(20, 30, 3), png(20, 30, 4)):
        check_png(content)
        check_png(content + b"anything")


def test_a_cut_or_a_wrong_length_is_noticed_wherever_it_is():
    content = png(20, 30, 3)
    for end in range(len(PNG_START), len(content)):
        with pytest.raises(OSError, match="cut off or damaged"):
            check_png(content[:end])
    for place in range(len(PNG_START), len(PNG_START) + 4):
        with pytest.raises(OSError, match="damaged"):
            check_png(content[:place] + b"\x7f" + content[place + 1 :])


def test_a_file_without_header_is_refused():
    with pytest.raises(OSError, match="no header"):
        check_png(PNG_START + chunk(b"IDAT", b"x") + chunk(b"IEND", b""))


def test_pixels_that_the_data_can_not_hold_are_refused():
    data, end = zlib.compress(bytes(100 * (1 + 300)), 9), chunk(b"IEND", b"")
    whole = PNG_START + header(100, 100) + chunk(b"IDAT", data) + end
    check_png(whole)
    assert cv2.imdecode(np.frombuffer(whole, np.uint8), 1).shape == (100, 100, 3)
    with pytest.raises(OSError, match="9000 x 9000 pixels can't come from [0-9]+ bytes"):
        check_png(PNG_START + header(9000, 9000) + chunk(b"IDAT", data) + end)
    check_png(PNG_START + header(100, 10_000, 1, 0) + chunk(b"IDAT", bytes(200)) + end)
