"""Pictures become inputs as training makes them, but resized in float32."""

import cv2
import numpy as np
import pytest
import torch
from helpers.exported_model import MEAN, STD, record
from mmpretrain.datasets.transforms import CenterCrop, ResizeEdge
from PIL import Image

from mmreid_ext.deploy import preprocessing as module
from mmreid_ext.deploy.image_step import FILTERS, ImageStep
from mmreid_ext.deploy.input_info import read_input
from mmreid_ext.deploy.preprocessing import Preparation, follow
from mmreid_ext.deploy.record_fields import Fields
from mmreid_ext.errors import UserError

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (64, 32, 3), dtype=np.uint8)
PHOTO = cv2.GaussianBlur(RNG.integers(0, 256, (150, 70, 3), dtype=np.uint8), (5, 5), 0)


def taken(**changes):
    return read_input(Fields(record(height=64, width=32, **changes)["input"], "input.", "test"))


def test_a_fitting_picture_is_normalised_as_in_training():
    found = Preparation(taken())(PICTURE, "it")
    rgb = torch.from_numpy(PICTURE[..., ::-1].copy()).permute(2, 0, 1).float()
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    assert found.dtype == np.float32 and found.flags.c_contiguous
    assert np.array_equal(found, ((rgb - mean) / std).numpy())


def test_order_of_channels_and_no_normalisation():
    bgr = Preparation(taken(channel_order="BGR", mean=None, std=None))
    assert np.array_equal(bgr(PICTURE, "it"), PICTURE.transpose(2, 0, 1).astype(np.float32))
    assert bgr.limits == (0, 255)
    mean = [0, 0, 10]  # in the order of the channels: red is last
    shifted = Preparation(taken(channel_order="BGR", mean=mean, std=[1, 1, 1]))(PICTURE, "it")
    assert np.array_equal(shifted[2], PICTURE[..., 2] - np.float32(10))


@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_bytes_and_shares_are_rgb_whatever_the_model_was_trained_on(order):
    found = Preparation(taken(kind="uint8", channel_order=order))
    assert np.array_equal(found(PICTURE, "it"), PICTURE[..., ::-1]) and found.dtype == np.uint8
    found = Preparation(taken(kind="rgb01", channel_order=order))
    assert np.array_equal(
        found(PICTURE, "it"), PICTURE[..., ::-1].transpose(2, 0, 1) / np.float32(255)
    )
    assert found.limits == (0, 1)


@pytest.mark.parametrize("name", FILTERS["cv2"])
def test_opencv_resizes_floats(name):
    codes = {"nearest": 0, "bilinear": 1, "bicubic": 2, "area": 3, "lanczos": 4}
    step = ImageStep("resize", 64, 32, interpolation=name, backend="cv2")
    found = follow((step,), PHOTO, "it")
    raw = cv2.resize(PHOTO.astype(np.float32), (32, 64), interpolation=codes[name])
    assert np.array_equal(found, raw.clip(0, 255))
    rounded = cv2.resize(PHOTO, (32, 64), interpolation=codes[name])
    # Fixed-point arithmetic of 8 bits. Lanczos takes 8 x 8 pixels.
    assert abs(found - rounded).max() < (3 if name == "lanczos" else 1.3)
    assert found.dtype == np.float32


@pytest.mark.parametrize("name", FILTERS["pillow"])
def test_pillow_resizes_floats(name):
    step = ImageStep("resize", 64, 32, interpolation=name, backend="pillow")
    found = follow((step,), PHOTO, "it")
    rounded = np.asarray(
        Image.fromarray(PHOTO).resize((32, 64), getattr(Image.Resampling, name.upper()))
    )
    assert abs(found - rounded).max() < 1.6 and found.dtype == np.float32


def test_rounded_floats_are_the_pixels_of_training():
    """With bicubic: so a ``uint8`` file is given what a checkpoint is given."""
    step = {"type": "resize", "height": 64, "width": 32, "interpolation": "bicubic"}
    prepare = Preparation(taken(kind="uint8", steps=[{**step, "backend": "cv2"}]))
    trained = cv2.resize(PHOTO, (32, 64), interpolation=cv2.INTER_CUBIC)
    assert np.mean(prepare(PHOTO, "it") != trained[..., ::-1]) < 1e-3


def test_large_pictures_are_resized_channel_by_channel(monkeypatch):
    step = ImageStep("resize", 64, 32, interpolation="bicubic", backend="cv2")
    expected = follow((step,), PHOTO, "it")
    monkeypatch.setattr(module, "_BY_CHANNEL", 99)
    sizes = []
    resize = module._by_opencv
    monkeypatch.setattr(
        module, "_by_opencv", lambda image, *a: (sizes.append(image.shape), resize(image, *a))[1]
    )
    assert abs(follow((step,), PHOTO, "it") - expected).max() < 1e-3
    assert sizes == [(150, 70)] * 3


def test_overshoot_is_cut_off():
    edge = np.zeros((8, 8, 3), np.uint8)
    edge[:, 4:] = 255
    for backend in FILTERS:
        step = ImageStep("resize", 16, 24, interpolation="bicubic", backend=backend)
        found = follow((step,), edge, "it")
        assert found.min() == 0 and found.max() == 255


@pytest.mark.parametrize("size", [(150, 70), (70, 150), (37, 37), (90, 41)])
@pytest.mark.parametrize("edge", ["short", "long", "width", "height"])
def test_edges_and_crops_have_the_sizes_of_mmpretrain(size, edge):
    picture = cv2.resize(PHOTO, size[::-1])
    steps = (
        ImageStep("resize_edge", edge=edge, size=45, interpolation="bilinear", backend="cv2"),
        ImageStep("center_crop", 32, 40),
    )
    results = ResizeEdge(45, edge=edge).transform(dict(img=picture))
    assert follow(steps[:1], picture, "it").shape == results["img"].shape
    expected = CenterCrop((40, 32)).transform(results)["img"]
    found = follow(steps, picture, "it")
    assert found.shape == expected.shape and abs(found - expected).max() < 1.3


def test_another_size_than_the_models_is_told():
    step = {"type": "resize_edge", "edge": "short", "size": 32}
    step |= {"interpolation": "bilinear", "backend": "cv2"}
    prepare = Preparation(taken(steps=[step]))
    assert prepare(PICTURE, "it").shape == (3, 64, 32)
    with pytest.raises(UserError, match=r"^Image 7 is 68 x 32 after the steps .* takes 64 x 32"):
        prepare(PHOTO, "Image 7")
    with pytest.raises(UserError, match="^Image 7 is 150 x 70 after"):
        Preparation(taken(steps=[]))(PHOTO, "Image 7")


@pytest.mark.parametrize("shape", [(1, 60_000), (60_000, 1)])
def test_a_strip_does_not_become_gigabytes(shape):
    step = ImageStep("resize_edge", edge="short", size=2000, interpolation="bilinear")
    with pytest.raises(UserError, match="^Image 7 of .* would become"):
        follow((step,), np.zeros((*shape, 3), np.uint8), "Image 7")
    step = ImageStep("resize_edge", edge="long", size=100, interpolation="bilinear")
    with pytest.raises(UserError, match="^Image 7 of .* would become"):
        follow((step,), np.zeros((*shape, 3), np.uint8), "Image 7")
