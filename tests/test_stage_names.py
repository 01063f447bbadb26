"""Stages of networks as they are built here."""

from helpers.tiny_reid import LOSSES, tiny_model

from mmreid_ext.registry import MODELS
from mmreid_ext.stage_names import stage_of


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
