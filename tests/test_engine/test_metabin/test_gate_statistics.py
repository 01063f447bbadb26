"""Means and shares of the gates, by hand, and the names of stages."""

import pytest
import torch
from helpers.tiny_reid import LOSSES, tiny_model

from mmreid_ext.engine.metabin.gate_statistics import gate_statistics, stage_of
from mmreid_ext.models.norms import BatchInstanceNorm2d
from mmreid_ext.registry import MODELS


def layer(*gates: float) -> BatchInstanceNorm2d:
    norm = BatchInstanceNorm2d(len(gates))
    norm.gate.data.copy_(torch.tensor(gates))
    return norm


def test_every_gate_counts_once():
    layers = {
        "backbone.bn1": layer(1.0, 0.5),
        "backbone.layer1.0.bn1": layer(0.0, 0.25, 1.0, 1.0),
        "backbone.layer1.1.bn2": layer(0.75, 0.0),
    }
    expected = {
        "gate/mean": 4.5 / 8,
        "gate/at_0": 2 / 8,
        "gate/at_1": 3 / 8,
        "gate/stem/mean": 0.75,
        "gate/stem/at_0": 0.0,
        "gate/stem/at_1": 0.5,
        "gate/layer1/mean": 3 / 6,
        "gate/layer1/at_0": 2 / 6,
        "gate/layer1/at_1": 2 / 6,
    }
    found = {name: value.item() for name, value in gate_statistics(layers).items()}
    assert found == pytest.approx(expected, abs=1e-7)


def test_a_gate_beside_the_bound_is_not_at_it():
    beside = torch.tensor([1.0]).nextafter(torch.tensor([0.0])).item()
    statistics = gate_statistics({"backbone.bn1": layer(beside, 1e-30)})
    assert (statistics["gate/at_1"], statistics["gate/at_0"]) == (0.0, 0.0)


def test_stages_of_a_resnet():
    layers = MODELS.build(tiny_model()).bin_layers()
    assert {stage_of(name) for name in layers} == {"stem", "layer1", "layer2"}
    assert [n for n in layers if stage_of(n) == "stem"] == ["backbone.bn1"]


def test_stages_of_a_mobilenet():
    cfg = tiny_model()
    cfg["backbone"] = dict(
        type="mmpretrain.MobileNetV2", widen_factor=0.25, norm_cfg=dict(type="mmreid_ext.BIN")
    )
    cfg["head"] = dict(cfg["head"], in_channels=1280, losses=LOSSES)
    layers = MODELS.build(cfg).bin_layers()
    stages = list(dict.fromkeys(stage_of(name) for name in layers))
    assert stages == ["stem", *(f"layer{i}" for i in range(1, 8)), "conv2"]
    assert len(layers) == 52
