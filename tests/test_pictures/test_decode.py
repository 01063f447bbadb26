import io
import sys

import cv2
import numpy as np
import pytest
from PIL import Image, features

from mmreid_ext.pictures import decode as module
from mmreid_ext.pictures.decode import decode, foreign_format, upright_size

PIXELS = np.full((12, 8, 3), (200, 100, 50), np.uint8)  # BGR
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 40
AVIF = HEIC.replace(b"heic", b"avif")


def encoded(suffix):
    return cv2.imencode(suffix, PIXELS)[1].tobytes()


def by_pillow(kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS[:, :, ::-1]).save(buffer, kind, **options)
    return buffer.getvalue()


def test_formats_are_told_by_their_first_bytes():
    assert foreign_format(HEIC) == "HEIC" and foreign_format(AVIF) == "AVIF"
    assert foreign_format(by_pillow("WEBP")) == "WebP"
    assert foreign_format(encoded(".png")) is foreign_format(b"") is None


def test_what_opencv_reads_it_reads():
    assert np.array_equal(decode(encoded(".png")), PIXELS)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_pillow_reads_what_opencv_was_built_without(kind, monkeypatch):
    if not features.check(kind.lower()):
        pytest.skip(f"this Pillow has no {kind}")
    content = by_pillow(kind, quality=95)
    monkeypatch.setattr(cv2, "imdecode", lambda *args: None)
    assert np.abs(decode(content).astype(int) - PIXELS).max() <= 8  # of a lossy format


def test_no_picture_at_all():
    with pytest.raises(OSError, match="not an image"):
        decode(b"text")


def test_heic_without_its_package_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(OSError, match=r"pip install pillow-heif; or convert"):
        decode(HEIC)


def test_heic_with_its_package(monkeypatch):
    """The plugin is asked to register itself, then Pillow opens the file."""
    registered = []

    class Plugin:
        @staticmethod
        def register_heif_opener():
            registered.append(True)

    monkeypatch.setitem(sys.modules, "pillow_heif", Plugin)
    monkeypatch.setattr(module.Image, "open", lambda file: Image.fromarray(PIXELS[:, :, ::-1]))
    assert np.array_equal(decode(HEIC), PIXELS)
    assert registered


def test_a_real_heic_file():
    plugin = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    plugin.from_pillow(Image.fromarray(PIXELS[:, :, ::-1]).resize((64, 64))).save(buffer)
    image = decode(buffer.getvalue())
    assert image.shape == (64, 64, 3)
    assert np.abs(image[32, 32].astype(int) - PIXELS[0, 0]).max() <= 8


def test_a_damaged_file_of_pillow_says_what_to_do(monkeypatch):
    with pytest.raises(OSError, match=r"AVIF file .*convert"):
        decode(AVIF)


def test_the_size_is_that_of_the_upright_picture(tmp_path):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    path.write_bytes(by_pillow("JPEG", exif=exif))
    assert upright_size(path) == (12, 8)
    assert decode(path.read_bytes()).shape == (8, 12, 3)
    (tmp_path / "b.jpg").write_bytes(by_pillow("JPEG"))
    assert upright_size(tmp_path / "b.jpg") == (8, 12)
    (tmp_path / "c.jpg").write_bytes(b"text")
    assert upright_size(tmp_path / "c.jpg") is upright_size(tmp_path / "missing.jpg") is None
