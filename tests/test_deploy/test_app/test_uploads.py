import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from helpers.fake_deploy import drawn, file_of
from PIL import Image

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.deploy.app.uploads import cut_out, decode_upload, picture_format

LIMIT = 100_000


def saved(image, kind, **options):
    file = io.BytesIO()
    Image.fromarray(image[..., ::-1]).save(file, kind, **options)
    return file.getvalue()


def png_header(width, height):
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
    )


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "WEBP", "JPEG"])
def test_pictures_come_out_as_they_were(kind):
    image = drawn(3)
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 99, "subsampling": 0}}.get(kind, {})
    found = decode_upload(saved(image, kind, **options), LIMIT)
    assert found.shape == image.shape and found.dtype == np.uint8
    assert np.abs(found.astype(int) - image).max() <= (12 if kind == "JPEG" else 0)


def test_a_picture_on_its_side_is_set_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_upload(saved(drawn(3), "JPEG", exif=exif), LIMIT).shape == (32, 64, 3)


@pytest.mark.parametrize(
    "content, status",
    [
        (b"", 422),
        (b"no picture at all", 415),
        (b"%PDF-1.7 ...", 415),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        (b"II*\x00" + bytes(100), 415),
        (file_of(drawn(1), ".jpg")[:300], 422),
        (file_of(drawn(1))[:60], 422),
        (saved(drawn(1), "WEBP")[:40], 422),
        (saved(drawn(1), "GIF")[:14], 422),
        (b"BM" + bytes(60), 422),
        (png_header(60_000, 60_000), 413),
        (b"\xff\xd8\xff\xd9", 422),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else str(value),
)
def test_what_is_no_whole_picture_is_refused(content, status):
    with pytest.raises(Refusal) as refused:
        decode_upload(content, LIMIT)
    assert refused.value.status == status
    assert not refused.value.sentence.endswith(".")  # the caller names the picture around it


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "WEBP", "JPEG"])
def test_a_bomb_is_refused_before_it_is_decoded(kind, monkeypatch):
    content = saved(np.zeros((400, 400, 3), np.uint8), kind)
    monkeypatch.setattr(cv2, "imdecode", lambda *args: pytest.fail("decoded"))
    with pytest.raises(Refusal, match="400 x 400 pixels") as refused:
        decode_upload(content, LIMIT)
    assert refused.value.status == 413


def test_a_progressive_file_with_endless_scans_is_refused():
    content = saved(drawn(1), "JPEG", progressive=True)
    scan = content.rindex(b"\xff\xda")
    again = content[:scan] + 200 * content[scan:-2] + content[-2:]
    with pytest.raises(Refusal, match="scans"):
        decode_upload(again, LIMIT)
    film = content + 100 * b"\xff\xda film of a telephone"
    assert decode_upload(content, LIMIT).shape == decode_upload(film, LIMIT).shape == (64, 32, 3)


def test_what_a_decoder_raises_is_a_broken_file(monkeypatch):
    def failing(*args):
        raise cv2.error("inside")

    monkeypatch.setattr("mmreid_ext.deploy.app.uploads.decode_content", failing)
    with pytest.raises(Refusal, match="broken") as refused:
        decode_upload(file_of(drawn(1)), LIMIT)
    assert refused.value.status == 422 and "inside" not in refused.value.sentence


def test_a_machine_without_memory_is_no_broken_file(monkeypatch):
    def failing(*args):
        raise MemoryError

    monkeypatch.setattr("mmreid_ext.deploy.app.uploads.decode_content", failing)
    with pytest.raises(Refusal, match="memory") as refused:
        decode_upload(file_of(drawn(1)), LIMIT)
    assert refused.value.status == 503


def test_formats_are_known_by_their_first_bytes():
    assert picture_format(file_of(drawn(1), ".jpg")) == "JPEG"
    assert picture_format(saved(drawn(1), "WEBP")) == "WebP"
    assert picture_format(b"GIF90a") is None


def test_a_box_cuts_and_must_lie_inside():
    image = drawn(1)
    assert cut_out(image, None) is image
    assert np.array_equal(cut_out(image, (4, 8, 10, 20)), image[8:28, 4:14])
    with pytest.raises(Refusal, match="sticks out") as refused:
        cut_out(image, (30, 0, 10, 10))
    assert refused.value.status == 422
