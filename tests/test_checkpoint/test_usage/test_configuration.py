"""A checkpoint alone builds the embedder of its training, bit for bit."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers.paths import CONFIGS
from helpers.shrunk_models import narrow
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope
from mmpretrain.models.backbones import ResNet
from torch import nn

from mmreid_ext.apis import ReIDInferencer
from mmreid_ext.checkpoint.usage import KEY, config_of, describe_config, recorded_config
from mmreid_ext.engine.hooks import DeploymentInfoHook
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.models import ReIDModel
from mmreid_ext.registry import MODELS

PATHS = sorted(CONFIGS.glob("*.py"))
QUICK = {"metabin_r18_synthetic", "arcmargin_r18_market150"}
"""The others build larger networks and are marked slow."""

PIPELINE = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(16, 32)),
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
)


def config(**changes):
    loader = dict(dataset=dict(pipeline=PIPELINE))
    return Config(
        {"default_scope": "mmpretrain", "model": MODEL, "test_dataloader": loader, **changes}
    )


def small(cfg):
    """A configuration of ours that needs no file of weights, with few channels."""
    narrow(cfg.model)
    if "init_cfg" in cfg.model.head:
        cfg.model.head.init_cfg = None
    return cfg


def build(cfg):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        return MODELS.build(cfg.model)


def write(path, cfg, record=True, text=False):
    """A checkpoint of untrained weights, as training writes it now, or as it did before."""
    model = build(cfg)
    content = dict(state_dict=model.state_dict(), meta={})
    DeploymentInfoHook().before_save_checkpoint(SimpleNamespace(model=model, cfg=cfg), content)
    if not record:
        del content["meta"][KEY]["config"]
    if text:
        content["meta"]["cfg"] = cfg.pretty_text
    torch.save(content, path)
    return path


@pytest.fixture
def images():
    generator = np.random.default_rng(0)
    return [generator.integers(0, 256, (60, 25, 3), np.uint8) for _ in range(2)]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem in QUICK else pytest.mark.slow)
        for path in PATHS
    ],
)
def test_every_configuration_of_ours_survives_the_checkpoint(path, tmp_path, images):
    cfg = small(Config.fromfile(path))
    file = write(tmp_path / "w.pth", cfg, text=True)
    expected = ReIDInferencer(cfg, file, "cpu")(images)
    assert torch.equal(ReIDInferencer(file, device="cpu")(images), expected)
    content = torch.load(file, weights_only=True)
    text = json.dumps(content["meta"][KEY])
    assert "http" not in text and str(Path.cwd()) not in text
    now = config_of(content, "w.pth").to_dict()
    del content["meta"][KEY]["config"]
    assert config_of(content, "w.pth").to_dict() == now  # the text of earlier versions
    file.unlink()


def test_a_checkpoint_of_an_earlier_version_is_read_without_running_its_text(tmp_path, images):
    cfg = config()
    file = write(tmp_path / "w.pth", cfg, record=False, text=True)
    expected = ReIDInferencer(cfg, file, "cpu")(images)
    assert torch.equal(ReIDInferencer(checkpoint=file, device="cpu")(images), expected)
    content = torch.load(file, weights_only=True)
    content["meta"]["cfg"] = f"ran = open({str(tmp_path / 'ran')!r}, 'w')\n" + cfg.pretty_text
    assert config_of(content, "w.pth").to_dict() == recorded_config(file).to_dict()
    content["meta"]["cfg"] = cfg.pretty_text.replace("'ResNet'", "evil()")
    with pytest.raises(UserError, match=r"can't be read as data \(model.backbone.type is evil\(\)"):
        config_of(content, "w.pth")
    assert not (tmp_path / "ran").exists()


def test_types_given_as_classes_become_names(images, tmp_path):
    model = {**MODEL, "type": ReIDModel, "backbone": {**MODEL["backbone"], "type": ResNet}}
    model["backbone"]["norm_cfg"] = dict(type=nn.BatchNorm2d)
    cfg = config(model=model)
    found = describe_config(cfg)
    assert found["model"]["type"] == "mmreid_ext.ReIDModel"
    assert found["model"]["backbone"]["type"] == "mmpretrain.ResNet"
    file = write(tmp_path / "w.pth", cfg)
    expected = ReIDInferencer(config(), file, "cpu")(images)
    assert torch.equal(ReIDInferencer(file, device="cpu")(images), expected)


PURE = """
from mmcv.transforms import LoadImageFromFile, Resize
from mmpretrain.models import ResNet
from torch.nn import BatchNorm2d

from mmreid_ext.datasets.transforms import PackReIDInputs
from mmreid_ext.models import ReIDModel
from mmreid_ext.models.heads import BNNeckHead
from mmreid_ext.models.losses import LabelSmoothingLoss

model = dict(
    type=ReIDModel,
    backbone=dict(
        type=ResNet, depth=18, stem_channels=4, base_channels=4, norm_cfg=dict(type=BatchNorm2d)
    ),
    head=dict(
        type=BNNeckHead, num_classes=3, in_channels=32,
        losses=dict(ce=dict(type=LabelSmoothingLoss)),
    ),
)
resize = dict(type=Resize, scale=(8, 16))
pipeline = [dict(type=LoadImageFromFile), resize, dict(type=PackReIDInputs)]
test_dataloader = dict(dataset=dict(pipeline=pipeline))
"""


@pytest.mark.parametrize("record", [True, False], ids=["recorded", "as text"])
def test_pure_python_configurations_survive_the_checkpoint(tmp_path, images, record):
    (tmp_path / "pure.py").write_text(PURE)
    cfg = Config.fromfile(tmp_path / "pure.py")
    file = write(tmp_path / "w.pth", cfg, record=record, text=True)
    expected = ReIDInferencer(tmp_path / "pure.py", file, "cpu")(images)
    assert torch.equal(ReIDInferencer(file, device="cpu")(images), expected)


def test_tuples_stay_and_first_weights_go():
    backbone = {**MODEL["backbone"], "init_cfg": dict(type="Pretrained", checkpoint="/home/me/w")}
    found = describe_config(config(model={**MODEL, "backbone": backbone}))
    assert found["model"]["backbone"]["init_cfg"] is None
    assert found["model"]["backbone"]["strides"] == (1, 2, 2, 1)
    assert found["test_dataloader"]["dataset"]["pipeline"][0]["scale"] == (16, 32)
    assert not any(isinstance(value, ConfigDict) for value in found.values())


def test_first_weights_that_a_record_names_are_not_fetched():
    record = describe_config(config())
    record["model"]["backbone"] |= dict(pretrained=True, checkpoint_path="w", init_cfg=dict(a=1))
    found = config_of(dict(meta={KEY: dict(format=1, config=record)}), "w.pth").model.backbone
    assert (found.pretrained, found.checkpoint_path, found.init_cfg) == (False, "", None)


def test_the_preprocessor_beside_the_model_is_part_of_it(tmp_path, images):
    beside = dict(type="mmpretrain.ClsDataPreprocessor", mean=[1, 2, 3], std=[4, 5, 6])
    within = config(model={**MODEL, "data_preprocessor": beside})
    cfg = config(data_preprocessor=beside)
    assert describe_config(cfg)["model"] == describe_config(within)["model"]
    file = write(tmp_path / "w.pth", within)
    expected = ReIDInferencer(within, file, "cpu")(images)
    assert torch.equal(ReIDInferencer(cfg, file, "cpu")(images), expected)


def test_what_was_imported_is_named_and_not_imported(tmp_path, monkeypatch):
    (tmp_path / "own_net.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(tmp_path)
    cfg = config(custom_imports=dict(imports=["own_net"], allow_failed_imports=False))
    content = dict(meta={KEY: dict(format=1, config=describe_config(cfg))})
    assert "custom_imports" not in config_of(content, "w.pth")
    content["meta"][KEY]["config"]["model"]["backbone"]["type"] = "own_net.Net"
    with pytest.raises(UserError, match=r"w\.pth: model\.backbone\.type='own_net\.Net'.*own_net\)"):
        config_of(content, "w.pth")


def test_without_a_configuration_it_is_asked_for(tmp_path):
    file = tmp_path / "w.pth"
    for content in (
        dict(state_dict={}),
        dict(state_dict={}, meta={}),
        dict(meta=dict(cfg="a = 1")),
        dict(meta={KEY: dict(format=2, config={})}),
        torch.zeros(1),
    ):
        torch.save(content, file)
        with pytest.raises(UserError, match=r"w\.pth holds no conf.*ReIDInferencer\(config"):
            recorded_config(file)
        with pytest.raises(UserError, match="holds no configuration"):
            ReIDInferencer(file)
    with pytest.raises(MissingFileError, match="No checkpoint"):
        recorded_config(tmp_path / "nothing.pth")


def test_what_cannot_be_recorded_is_named():
    assert describe_config(Config(dict(model=MODEL))) is None
    assert describe_config(config(model=None)) is None
    with pytest.raises(UserError, match=r"model\.neck is of type Identity"):
        describe_config(config(model={**MODEL, "neck": nn.Identity()}))
