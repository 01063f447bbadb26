"""Transforms become steps that an application can follow; the unknown stay as configured."""

import pytest

from mmreid_ext.checkpoint.usage.image_steps import final_size, image_steps

RESIZE = dict(type="resize", height=64, width=32, interpolation="bilinear", backend="cv2")


@pytest.mark.parametrize(
    "transform, step",
    [
        (dict(type="Resize", scale=(32, 64)), RESIZE),
        (dict(type="mmpretrain.Resize", scale=[32, 64]), RESIZE),
        (dict(type="Resize", scale=32), RESIZE | dict(height=32)),
        (dict(type="Resize", scale=(32, 64), backend="pillow"), RESIZE | dict(backend="pillow")),
        (dict(type="LoadResized", scale=(32, 64)), RESIZE | dict(interpolation="bicubic")),
        (
            dict(type="ResizeEdge", scale=32, interpolation="lanczos"),
            dict(type="resize_edge", edge="short", size=32, interpolation="lanczos", backend="cv2"),
        ),
        (dict(type="CenterCrop", crop_size=32), dict(type="center_crop", height=32, width=32)),
    ],
)
def test_known_transforms_become_steps(transform, step):
    assert image_steps([transform]) == [step]


@pytest.mark.parametrize(
    "transform",
    [
        dict(type="Resize", scale=[32, 64], keep_ratio=True),
        dict(type="Resize", scale_factor=0.5),
        dict(type="CenterCrop", crop_size=32, efficientnet_style=True),
        dict(type="mmpretrain.Pad", size=[1, 2]),
    ],
)
def test_others_stay_as_configured(transform):
    assert image_steps([transform]) == [transform]


def test_loading_and_packing_are_no_steps():
    pipeline = [dict(type="LoadImageFromFile"), dict(type="mmreid_ext.PackReIDInputs")]
    assert image_steps(pipeline) == []


def test_the_last_step_decides_the_size():
    crop, edge = dict(type="center_crop", height=3, width=4), dict(type="resize_edge", size=5)
    assert final_size([edge, crop]) == (3, 4)
    assert final_size([crop, edge]) == (None, None)
    assert final_size([]) == (None, None)
