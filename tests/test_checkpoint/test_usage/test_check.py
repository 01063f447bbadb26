"""A configuration that contradicts what a checkpoint recorded stops a test, or is warned of."""

import copy
import re

import pytest
import torch
from helpers.tiny_reid import tiny_runner
from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.datasets.transforms import Resize
from mmpretrain.models.backbones import ResNet
from torch import nn

from mmreid_ext.apis import ReIDInferencer
from mmreid_ext.checkpoint.usage import (
    KEY,
    check,
    check_usage,
    compare_usage,
    deployment_info,
)
from mmreid_ext.datasets.transforms import LoadResized, PackReIDInputs
from mmreid_ext.engine.hooks import DeploymentInfoHook
from mmreid_ext.errors import UserError
from mmreid_ext.models import ReIDModel
from mmreid_ext.models.heads import BNNeckHead
from mmreid_ext.registry import MODELS

PIPELINE = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(32, 64), interpolation="bicubic"),
    dict(type="mmreid_ext.PackReIDInputs"),
]
MODEL = dict(
    type="mmreid_ext.ReIDModel",
    backbone=dict(type="ResNet", depth=18, stem_channels=4, base_channels=4, strides=(1, 2, 2, 1)),
    head=dict(
        type="mmreid_ext.BNNeckHead",
        num_classes=3,
        in_channels=32,
        losses=dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss")),
    ),
    data_preprocessor=dict(
        type="mmpretrain.ClsDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
)


def config(changes=None, pipeline=PIPELINE):
    cfg = Config(
        dict(
            default_scope="mmpretrain",
            model=copy.deepcopy(MODEL),
            test_dataloader=dict(dataset=dict(pipeline=pipeline)),
        )
    )
    cfg.merge_from_dict(changes or {})
    return cfg


def build(cfg):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        return MODELS.build(cfg.model).eval()


def info_of(cfg):
    return deployment_info(build(cfg), cfg.test_dataloader.dataset.pipeline, cfg.model)


@pytest.fixture
def said(monkeypatch):
    texts = []
    monkeypatch.setattr(check, "print_log", lambda text, **_: texts.append(text))
    return texts


@pytest.fixture
def checkpoint(tmp_path):
    model = build(config())
    torch.save(
        dict(state_dict=model.state_dict(), meta={KEY: info_of(config())}), tmp_path / "w.pth"
    )
    return tmp_path / "w.pth"


STOPS = {
    "mean": {"model.data_preprocessor.mean": [0.0, 0.0, 0.0]},
    "std": {"model.data_preprocessor.std": [1.0, 1.0, 1.0]},
    "channel_order": {"model.data_preprocessor.to_rgb": False},
    "mean .*, now None": {
        "model.data_preprocessor.mean": None,
        "model.data_preprocessor.std": None,
    },
    "std .*, now None": {
        "model.data_preprocessor": dict(_delete_=True, type="mmengine.BaseDataPreprocessor")
    },
}
WARNS = {
    "backbone.strides": {"model.backbone.strides": (1, 2, 2, 2)},
    "head.test_feature": {"model.head.test_feature": "feats"},
    "stem_relu": {"model.stem_relu": False},
    "neck": {"model.neck": dict(type="mmreid_ext.GlobalMaxPooling")},
}
SIZES = {
    "size": [PIPELINE[0], dict(PIPELINE[1], scale=(16, 32)), PIPELINE[2]],
    "interpolation": [PIPELINE[0], dict(PIPELINE[1], interpolation="bilinear"), PIPELINE[2]],
    "no resizing": [PIPELINE[0], PIPELINE[2]],
    "crop": [*PIPELINE[:2], dict(type="CenterCrop", crop_size=(30, 60)), PIPELINE[2]],
}
SILENT = {
    "the same": {},
    "other people": {"model.head.num_classes": 7},
    "for training": {"model.backbone.frozen_stages": 1, "model.backbone.with_cp": True},
    "scope": {"model.backbone.type": "mmpretrain.ResNet"},
    "defaults": {
        "model.backbone.dilations": (1, 1, 1, 1),
        "model.neck": dict(type="GlobalAveragePooling"),
        "model.head.test_feature": "embeddings",
        "model.stem_relu": True,
    },
    "norm as a class": {"model.backbone.norm_cfg": dict(type=nn.BatchNorm2d)},
    "norm of several ranks": {"model.backbone.norm_cfg": dict(type="mmreid_ext.SyncBN")},
    "MMEngine's preprocessor": {
        "model.data_preprocessor": dict(
            _delete_=True,
            type="mmengine.ImgDataPreprocessor",
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            bgr_to_rgb=True,
        )
    },
}


@pytest.mark.parametrize("name, changes", STOPS.items(), ids=STOPS)
def test_another_input_stops_a_test_and_is_said_in_a_training(checkpoint, said, name, changes):
    cfg = config(changes)
    with pytest.raises(UserError, match=f"w.pth was trained with another input.*input\\.{name}"):
        check_usage(build(cfg), cfg, checkpoint)
    with pytest.raises(UserError, match=f"input.{name}"):
        ReIDInferencer(cfg, checkpoint, "cpu")
    loaded = torch.load(checkpoint, weights_only=True)
    compare_usage(build(cfg), cfg, loaded, "w.pth", trains=True)
    assert len(said) == 1 and re.search(f"input.{name}", said[0])


@pytest.mark.parametrize("name, changes", WARNS.items(), ids=WARNS)
def test_another_network_is_said(checkpoint, said, name, changes):
    cfg = config(changes)
    ReIDInferencer(cfg, checkpoint, "cpu")
    assert len(said) == 1 and f"model.{name}" in said[0]


@pytest.mark.parametrize("name", SIZES)
def test_another_size_or_filter_is_said(checkpoint, said, name):
    cfg = config(pipeline=SIZES[name])
    check_usage(build(cfg), cfg, checkpoint)
    assert len(said) == 1 and "input.steps" in said[0]


@pytest.mark.parametrize("changes", SILENT.values(), ids=SILENT)
def test_what_changes_no_embedding_is_not_mentioned(checkpoint, said, changes):
    cfg = config(changes)
    check_usage(build(cfg), cfg, checkpoint)
    assert said == []


def test_one_transform_for_two_is_the_same_input(checkpoint, said):
    cfg = config(pipeline=[dict(type="mmreid_ext.LoadResized", scale=(32, 64)), PIPELINE[2]])
    check_usage(build(cfg), cfg, checkpoint)
    assert said == []
    assert info_of(cfg) == info_of(config())


@pytest.mark.parametrize("meta", [None, {}, {KEY: None}, {KEY: dict(format=7)}, {KEY: "text"}])
def test_checkpoints_that_record_nothing_are_taken_as_they_are(tmp_path, said, meta):
    content = dict(state_dict=build(config()).state_dict())
    if meta is not None:
        content["meta"] = meta
    torch.save(content, tmp_path / "w.pth")
    ReIDInferencer(config(STOPS["mean"]), tmp_path / "w.pth", "cpu")
    assert said == []


def test_types_given_as_classes_are_described_as_names_are():
    as_classes = config()
    pipeline = [
        dict(type=LoadImageFromFile),
        dict(type=Resize, scale=(32, 64), interpolation="bicubic"),
        dict(type=PackReIDInputs),
    ]
    model = build(as_classes)
    network = copy.deepcopy(MODEL)
    network["type"] = ReIDModel
    network["backbone"]["type"] = ResNet
    network["head"]["type"] = BNNeckHead
    expected = info_of(config())
    assert deployment_info(model, pipeline, network) == expected
    loads = [dict(type=LoadResized, scale=(32, 64)), dict(type=PackReIDInputs)]
    assert deployment_info(model, loads, network) == expected
    assert (expected["input"]["height"], expected["input"]["width"]) == (64, 32)
    assert expected["network"]["backbone.strides"] == [1, 2, 2, 1]


@pytest.mark.parametrize("trains", [False, True])
def test_the_hook_compares_whatever_starts_the_runner(tmp_path, said, trains):
    runner = tiny_runner(tmp_path, max_iters=1, custom_hooks=[dict(type=DeploymentInfoHook)])
    if trains:
        runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.cfg["model"] = dict(backbone=dict(strides=(1, 2)))
    recorded = deployment_info(runner.model, [], dict(backbone=dict(strides=(1, 1))))
    recorded["input"]["channel_order"] = "RGB"
    if trains:
        runner.call_hook("after_load_checkpoint", checkpoint=dict(meta={KEY: recorded}))
        assert "input.channel_order" in said[0] and "backbone.strides" in said[0]
        return
    with pytest.raises(UserError, match="input.channel_order"):
        runner.call_hook("after_load_checkpoint", checkpoint=dict(meta={KEY: recorded}))


def test_strides_of_models_that_were_given_built_are_recorded(said):
    """Whatever the setting is called: ``strides`` of a ResNet, ``last_stride`` of a MobileNetV2."""
    small = dict(type="mmreid_ext.MobileNetV2", widen_factor=0.1, out_indices=(7,))
    for backbone, changed in (
        (MODEL["backbone"], dict(strides=(1, 2, 2, 2))),
        (small, dict(last_stride=2)),
    ):
        head = dict(MODEL["head"], in_channels=1280 if backbone is small else 32)
        first = config(dict(model=dict(backbone=dict(backbone, _delete_=True), head=head)))
        other = config(dict(model=dict(backbone={**backbone, **changed, "_delete_": True})))
        other.model.head = head
        recorded = deployment_info(build(first), PIPELINE)
        for cfg in (other, Config(dict(test_dataloader=other.test_dataloader))):
            said.clear()
            compare_usage(build(other), cfg, dict(meta={KEY: recorded}), "w.pth", trains=False)
            assert len(said) == 1 and "strides of backbone." in said[0] and "[2, 2]" in said[0]
            said.clear()
            compare_usage(build(first), first, dict(meta={KEY: recorded}), "w.pth", trains=False)
            assert said == []


def test_records_of_earlier_versions_are_compared_as_far_as_they_go(said):
    recorded = info_of(config())
    del recorded["network"], recorded["input"]["std"]
    for changes, number in ((WARNS["stem_relu"], 0), (STOPS["std"], 0), (STOPS["mean"], 1)):
        said.clear()
        cfg = config(changes)
        compare_usage(build(cfg), cfg, dict(meta={KEY: recorded}), "w.pth", trains=True)
        assert len(said) == number
