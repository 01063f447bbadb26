import torch
from helpers.recorded_networks import empty, resnet
from helpers.source_checks import choice, refused, renamed

from mmreid_ext.checkpoint.converting import SOURCES, translate


def test_names_of_a_resnet():
    assert renamed(
        "metabin",
        *("backbone.bn1.bat_n.running_mean", "backbone.bn1.ins_n.bias", "backbone.bn1.gate"),
        *(
            "backbone.layer2.0.downsample.bn.bat_n.weight",
            "backbone.layer2.0.downsample.conv.weight",
        ),
        *("backbone.layer2.0.conv3.weight", "heads.classifier_norm.weight"),
        "heads.classifier_fc.weight",
    ) == {
        "backbone.bn1.bat_n.running_mean": "backbone.bn1.running_mean",
        "backbone.bn1.ins_n.bias": "backbone.bn1.in_bias",
        "backbone.bn1.gate": "backbone.bn1.gate",
        "backbone.layer2.0.downsample.bn.bat_n.weight": "backbone.layer2.0.downsample.1.weight",
        "backbone.layer2.0.downsample.conv.weight": "backbone.layer2.0.downsample.0.weight",
        "backbone.layer2.0.conv3.weight": "backbone.layer2.0.conv3.weight",
        "heads.classifier_norm.weight": "head.neck.weight",
        "heads.classifier_fc.weight": "head.classifier.weight",
    }


def test_names_of_a_mobilenet():
    names = ("backbone.layer2.0.conv3.weight", "backbone.layer2.0.bn.bat_n.bias")
    assert renamed("metabin", *names, beside=("backbone.layer1.conv.weight",)) == {
        "backbone.layer2.0.conv3.weight": "backbone.layer2.0.conv3.conv.weight",
        "backbone.layer2.0.bn.bat_n.bias": "backbone.layer2.0.conv3.bn.bias",
    }


def test_one_affine_of_the_first_version_becomes_two():
    state = {"backbone.bn1.gate": torch.ones(1), "backbone.bn1.weight": torch.full((1,), 2.0)}
    state |= {
        "backbone.bn1.bias": torch.full((1,), 3.0),
        "heads.classifier_norm.bias": torch.ones(1),
    }
    found = translate(SOURCES["metabin"], state).state
    assert found["backbone.bn1.in_weight"].item() == 2 and found["backbone.bn1.in_bias"].item() == 3
    assert "head.neck.in_bias" not in found


def test_choice():
    gate = empty("backbone.bn1.gate", **{"heads.classifier_fc.weight": (5, 512)})
    found = choice("metabin", resnet(prefix="backbone.") | gate)
    assert (found.config, found.options["model.head.num_classes"]) == ("metabin_r50_official", 5)
    assert not any("norm" in name for name in found.options)
    found = choice("metabin", resnet(prefix="backbone."))
    assert found.options["model.backbone.norm_cfg.type"] == "mmreid_ext.SyncBN"
    sizes = {"backbone.layer1.conv.weight": (44, 3), "backbone.layer9.conv.weight": (1792, 4)}
    sizes["backbone.layer8.0.conv3.weight"] = (448, 3)
    found = choice("metabin", gate | empty(**sizes))
    assert found.config == "metabin_mobilenetv2_official"
    assert found.options["model.backbone.width"] == 1.4
    assert found.options["model.head.in_channels"] == 1792


def test_parts_that_this_package_lacks():
    found = refused("metabin", "heads.bottleneck.fc.weight", "backbone.bn1.ins_n.running_mean")
    assert len(found) == 2
