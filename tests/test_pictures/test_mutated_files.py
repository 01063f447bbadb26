"""Damaged files end in an OSError within little memory, whatever their format."""

import io
import random
import resource

import numpy as np
import pytest
from PIL import Image

from mmreid_ext.pictures.decode import decode
from mmreid_ext.pictures.picture_file import check_picture, without_alpha

FORMATS = ("PNG", "BMP", "JPEG", "GIF", "TIFF", "WEBP", "PPM", "AVIF", "HEIF")
LENGTHS = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4), b"\x00\x01\x00\x00")


def encoded(kind):
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 16, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    try:
        Image.fromarray(pixels).resize((64, 128)).save(buffer, kind)
    except (KeyError, OSError):
        pytest.skip(f"Pillow writes no {kind} here")
    return buffer.getvalue()


def mutated(content, draw):
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4))):
        place = draw.randrange(min(len(changed), draw.choice((80, len(changed)))))
        kind = draw.random()
        if kind < 0.6:
            changed[place] = draw.randrange(256)
        elif kind < 0.8:
            changed[place : place + 4] = draw.choice(LENGTHS)
        elif kind < 0.9:
            del changed[place : place + draw.randrange(1, 30)]
        else:
            del changed[place + 1 :]
    return bytes(changed)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("kind", FORMATS)
def test_mutated_files_are_decoded_or_refused(kind):
    content, draw = encoded(kind), random.Random(kind)
    before = peak()
    for _ in range(150):
        damaged = mutated(content, draw)
        try:
            check_picture(damaged)
            image = without_alpha(decode(damaged), damaged)
        except OSError as error:
            assert str(error)
        else:
            assert image.dtype == np.uint8 and image.ndim == 3
    assert peak() - before < 500_000, "kB: a length of the file was believed"
