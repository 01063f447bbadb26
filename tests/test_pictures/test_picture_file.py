"""A picture is shown as it is, or refused with the reason."""

import os
import tracemalloc

import cv2
import numpy as np
import pytest
from helpers.fake_images import write_image
from mmcv.transforms import LoadImageFromFile

from mmreid_ext.datasets.loading import UnreadableImageError, load_image
from mmreid_ext.datasets.transforms import LoadResized
from mmreid_ext.pictures.picture_file import (
    check_picture,
    is_cut_off,
    read_jpeg,
    without_alpha,
)

SIZE = (32, 64)
LOADERS = {"LoadImageFromFile": LoadImageFromFile(), "LoadResized": LoadResized(SIZE)}


@pytest.fixture(params=LOADERS)
def loader(request):
    return LOADERS[request.param]


def encoded(image, suffix, *options):
    return cv2.imencode(suffix, image, options)[1].tobytes()


def noise(*shape, top=256, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, top, shape).astype(dtype)


def load(tmp_path, content, loader, name="picture.x", role="query"):
    path = tmp_path / name
    path.write_bytes(content)
    record = dict(img_path=str(path), pid=3, dataset="set", role=role)
    return load_image(loader, record)["img"]


# JPEG: whole or cut off


def test_size_and_end_of_jpeg_files():
    content = encoded(noise(20, 30, 3), ".jpg")
    assert read_jpeg(content) == ((30, 20), True)
    assert read_jpeg(content + bytes(100_000)) == ((30, 20), True)
    assert read_jpeg(content + b"\xff\xd8 a second picture, cut off") == ((30, 20), True)
    for length in range(2, len(content) - 1):
        assert not read_jpeg(content[:length]).complete
        assert not read_jpeg(content[:length] + bytes(1000)).complete


def test_progressive_jpeg_has_several_scans():
    content = encoded(noise(40, 30, 3), ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    assert content.count(b"\xff\xda") > 1
    assert read_jpeg(content + b"\0") == ((30, 40), True)
    assert not read_jpeg(content[:-9] + b"\0").complete


def test_the_end_of_a_preview_is_not_that_of_the_picture():
    content, preview = encoded(noise(40, 30, 3), ".jpg"), encoded(noise(8, 8, 3), ".jpg")
    segment = b"\xff\xe1" + (len(preview) + 2).to_bytes(2, "big") + preview
    whole = content[:2] + segment + content[2:]
    assert read_jpeg(whole) == ((30, 40), True)
    assert not read_jpeg(whole[: 2 + len(segment) + 300]).complete
    assert not read_jpeg(content[:2] + segment).complete


def test_trailing_bytes_are_harmless(tmp_path, loader):
    content = encoded(noise(40, 30, 3), ".jpg")
    whole = load(tmp_path, content, loader)
    assert np.array_equal(load(tmp_path, content + bytes(100_000), loader), whole)
    with pytest.raises(UnreadableImageError, match="cut off"):
        load(tmp_path, content[:-20], loader)


def test_other_formats_are_left_to_the_decoder(tmp_path):
    for name in ("a.bmp", "a.png"):
        path = write_image(tmp_path / name)
        path.write_bytes(path.read_bytes()[:-20])
        assert not is_cut_off(path)


# 16 bits, transparency, size


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bit_values_that_leave_the_upper_bits_empty_are_refused(tmp_path, loader, suffix):
    for shape in ((16, 8), (16, 8, 3)):
        with pytest.raises(UnreadableImageError, match="4095 of 65535 only"):
            content = encoded(noise(*shape, top=4096, dtype=np.uint16) | 4095, suffix)
            load(tmp_path, content, loader)
    full = noise(16, 8, 3, top=65536, dtype=np.uint16)
    assert abs(load(tmp_path, encoded(full, suffix), loader).mean() - full.mean() / 256) < 2


def test_floating_point_pictures_are_refused(tmp_path, loader):
    content = encoded(np.ones((16, 8), np.float32), ".tiff")
    with pytest.raises(UnreadableImageError, match="float32"):
        load(tmp_path, content, loader)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff"])
def test_hidden_colours_do_not_show(tmp_path, loader, suffix):
    image = np.full((64, 32, 4), 200, np.uint8)
    image[:32, :, 3], image[32:, :, 3] = 0, 255
    content = encoded(image, suffix, *([cv2.IMWRITE_WEBP_QUALITY, 101] if "webp" in suffix else []))
    found = load(tmp_path, content, loader)
    assert found.shape == (64, 32, 3) and found.dtype == np.uint8
    assert found[:30].max() <= 1 and found[34:].min() >= 199


def test_pictures_without_transparency_are_not_touched(tmp_path):
    image = noise(16, 8, 3)
    for suffix in (".png", ".jpg", ".bmp", ".tiff"):
        assert without_alpha(image, encoded(image, suffix)) is image
    opaque = np.dstack([image, np.full((16, 8), 255, np.uint8)])
    assert np.array_equal(without_alpha(image, encoded(opaque, ".png")), image)
    half = np.dstack([image, np.full((16, 8), 51, np.uint8)])
    blended = without_alpha(image.astype(np.float32), encoded(half, ".png"))
    assert np.allclose(blended, image * 0.2, atol=1e-4)


@pytest.mark.parametrize("height", [1, 63, 64, 65, 200])
def test_strips_give_what_the_whole_picture_gives(height):
    picture = noise(height, 90, 4)
    alpha = picture[:, :, 3:] / np.float32(255)
    whole = (picture[:, :, :3] * alpha).round().astype(np.uint8)
    assert np.array_equal(without_alpha(picture[:, :, :3], encoded(picture, ".png")), whole)


def test_blending_takes_no_gigabytes():
    picture = noise(2000, 100, 4)
    content, image = encoded(picture, ".png"), picture[:, :, :3].copy()
    tracemalloc.start()  # NumPy's memory; Pillow's is its own
    try:
        without_alpha(image, content)
        assert tracemalloc.get_traced_memory()[1] < 8 * image[:, :, 0].size
    finally:
        tracemalloc.stop()


def test_a_loader_that_resizes_a_transparent_picture_is_refused(tmp_path):
    class Other:
        def __call__(self, record):
            return dict(record, img=np.zeros((4, 4, 3), np.uint8))

    with pytest.raises(UnreadableImageError, match="transparent parts"):
        load(tmp_path, encoded(np.zeros((16, 8, 4), np.uint8), ".png"), Other())


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tiff", ".webp"])
def test_pictures_of_too_many_pixels_are_refused_before_they_are_decoded(monkeypatch, suffix):
    content = encoded(noise(40, 50, 3), suffix)
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(OSError, match="50 x 40 pixels are more than max_pixels=1999"):
        check_picture(content, max_pixels=1999)
    if suffix != ".tiff":  # its depth is looked at
        check_picture(content, max_pixels=2000)


def test_the_limit_is_an_option_of_the_loader(tmp_path):
    content = encoded(noise(40, 50, 3), ".jpg")
    with pytest.raises(UnreadableImageError, match="max_pixels=100"):
        load(tmp_path, content, LoadResized(SIZE, max_pixels=100))
    header = encoded(noise(40, 50, 3), ".png")
    bomb = header[:16] + (20_000).to_bytes(4, "big") * 2 + header[24:]
    with pytest.raises(UnreadableImageError, match="20000 x 20000 pixels"):
        load(tmp_path, bomb, LoadImageFromFile())


# What isn't a file, and what isn't the picture's fault


def test_pipes_devices_and_folders_are_refused_not_waited_for(tmp_path, loader):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    for path in (tmp_path / "pipe.jpg", tmp_path / "folder.jpg", "/dev/null"):
        with pytest.raises(UnreadableImageError, match="not a regular file"):
            load_image(loader, dict(img_path=str(path), pid=1, dataset="set"))


@pytest.mark.parametrize("content", [b"", b"not an image", b"\xff\xd8", b"\x89PNG\r\n\x1a\n"])
def test_other_contents_are_refused(tmp_path, loader, content):
    with pytest.raises(UnreadableImageError, match="Cannot read image"):
        load(tmp_path, content, loader)


@pytest.mark.parametrize(
    "error",
    [
        OSError(24, "Too many open files"),
        OSError(28, "No space left on device"),
        OSError(12, "Cannot allocate memory"),
        MemoryError(),
    ],
    ids=repr,
)
def test_the_machine_is_not_the_picture(tmp_path, monkeypatch, error):
    content = encoded(noise(16, 8, 3), ".jpg")

    def fails(*_, **__):
        raise error

    class Loader:
        __call__ = fails

    with pytest.raises(type(error)) as raised:
        load(tmp_path, content, Loader())
    assert raised.value is error


def test_only_training_images_are_advised_to_be_skipped(tmp_path, loader):
    for role in ("train", "query", "gallery"):
        with pytest.raises(UnreadableImageError) as raised:
            load(tmp_path, b"not an image", loader, role=role)
        assert ("on_corrupt" in str(raised.value)) == (role == "train")
