"""What a checkpoint says about its own use, and that following it gives the model's own input."""

import cv2
import numpy as np
import pytest
import torch
from helpers.fake_images import write_image
from helpers.paths import ROOT
from helpers.tiny_reid import tiny_runner
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmreid_ext.apis import read_deployment_info
from mmreid_ext.checkpoint.usage import deployment_info, embedding_size
from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.models import ReIDModel

INTERPOLATION = dict(bicubic=cv2.INTER_CUBIC, lanczos=cv2.INTER_LANCZOS4)
PIPELINES = dict(
    whole=[dict(type="Resize", scale=(32, 64), interpolation="bicubic")],
    square=[
        dict(type="ResizeEdge", scale=32, edge="short", interpolation="lanczos"),
        dict(type="CenterCrop", crop_size=32),
    ],
)


def complete(steps):
    return [dict(type="LoadImageFromFile"), *steps, dict(type="PackInputs")]


def build_model(**changes):
    model = dict(
        backbone=dict(type="mmpretrain.ResNet", depth=18, stem_channels=8, base_channels=8),
        head=dict(
            type="mmreid_ext.EmbeddingHead",
            in_channels=64,
            embedding_dim=12,
            losses=dict(pair=dict(type="mmreid_ext.EMLLoss")),
        ),
    )
    return ReIDModel(**(model | changes)).eval()


def follow(info, image):
    """Network input of a BGR image, from the information alone."""
    for step in info["steps"]:
        height, width = image.shape[:2]
        if step["type"] == "center_crop":
            top = max(round((height - step["height"]) / 2), 0)
            left = max(round((width - step["width"]) / 2), 0)
            image = image[top : top + step["height"], left : left + step["width"]]
            continue
        assert step["backend"] == "cv2"
        if step["type"] == "resize_edge":
            short = min(height, width)
            size = width * step["size"] // short, height * step["size"] // short
        else:
            size = step["width"], step["height"]
        image = cv2.resize(image, size, interpolation=INTERPOLATION[step["interpolation"]])
    assert image.shape[:2] == (info["height"], info["width"])
    image = image[..., ::-1] if info["channel_order"] == "RGB" else image
    return (image.astype(np.float32) - info["mean"]) / info["std"]


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("size", [(50, 23), (23, 50)], ids=["upright", "wide"])
def test_following_the_information_gives_the_input_of_the_network(name, size, tmp_path):
    path = write_image(tmp_path / "person.png", size=size)
    pipeline, model = complete(PIPELINES[name]), build_model()
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        packed = Compose(pipeline)(dict(img_path=str(path)))
    batch = model.data_preprocessor(dict(inputs=[packed["inputs"]]))
    info = deployment_info(model, pipeline)
    expected = follow(info["input"], cv2.imread(str(path)))
    # float32 against float64 arithmetic on values of up to 3
    np.testing.assert_allclose(batch["inputs"][0].permute(1, 2, 0), expected, atol=1e-5)
    assert info["embedding"] == dict(
        size=12, l2_normalized=True, distance="cosine", flip_test=False
    )
    assert info["embedding"]["size"] == embedding_size(model)
    embeddings = model(batch["inputs"])
    assert embeddings.shape == (1, 12)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(1))


def test_steps_that_it_does_not_know_stay_as_configured():
    odd = dict(type="mmpretrain.EfficientNetCenterCrop", crop_size=(1, 2), other=dict(a={3}))
    info = deployment_info(build_model(flip_test=True), complete([odd]))
    assert info["input"]["steps"] == [
        dict(type="mmpretrain.EfficientNetCenterCrop", crop_size=[1, 2], other=dict(a="{3}"))
    ]
    assert (info["input"]["height"], info["input"]["width"]) == (None, None)
    assert info["embedding"]["flip_test"]
    keeps = dict(type="Resize", scale=[32, 64], keep_ratio=True)
    assert deployment_info(build_model(), [keeps])["input"]["steps"] == [keeps]


@pytest.fixture
def checkpoint(tmp_path):
    """Written by a run with the hook, as the default runtime configures it."""
    enable_safe_checkpoints()
    runtime = "configs/_base_/default_runtime.py"
    hook = Config.fromfile(ROOT / runtime).default_hooks["deployment_info"]
    runner = tiny_runner(
        tmp_path,
        max_iters=1,
        default_hooks=dict(
            checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1),
            deployment_info=dict(hook),
        ),
    )
    pipeline = complete(PIPELINES["square"])
    runner.cfg["test_dataloader"] = dict(dataset=dict(pipeline=pipeline))
    runner.train()
    return tmp_path / "iter_1.pth"


def test_a_checkpoint_describes_itself_and_stays_plain_data(checkpoint):
    info = read_deployment_info(checkpoint)
    assert info["embedding"]["size"] == 16
    assert (info["input"]["height"], info["input"]["width"]) == (32, 32)
    assert [step["type"] for step in info["input"]["steps"]] == ["resize_edge", "center_crop"]
    assert info["input"]["mean"] is None  # the tiny model has no such preprocessor
    plain = torch.load(checkpoint, weights_only=True)["meta"]["mmreid_ext"]
    assert plain == info


def test_mean_and_std_are_the_written_numbers():
    info = deployment_info(build_model(), [])["input"]
    assert info["mean"] == [123.675, 116.28, 103.53]
    assert info["std"] == [58.395, 57.12, 57.375]
    assert info["channel_order"] == "RGB"
