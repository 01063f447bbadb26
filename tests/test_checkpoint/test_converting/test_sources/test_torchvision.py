"""The networks themselves are here: torchvision is a requirement."""

import pytest
import torch
import torchvision
from helpers.recorded_networks import filling
from mmengine.registry import DefaultScope

from mmreid_ext.apis.conversion import convert_checkpoint
from mmreid_ext.checkpoint.usage import config_of
from mmreid_ext.checkpoint.weights import load_state, read_checkpoint
from mmreid_ext.registry import MODELS

VIT = dict(image_size=32, patch_size=16, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=64)


def pooled_resnet(net, x):
    x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
    return net.layer4(net.layer3(net.layer2(net.layer1(x)))).mean((2, 3))


@pytest.mark.parametrize(
    "build, embed, config",
    [
        (torchvision.models.resnet18, pooled_resnet, "torchvision_r50"),
        (
            lambda: torchvision.models.mobilenet_v2(width_mult=0.5),
            lambda net, x: net.features(x).mean((2, 3)),
            "torchvision_mobilenetv2",
        ),
    ],
    ids=["resnet", "mobilenet"],
)
def test_features_are_torchvisions(build, embed, config, tmp_path):
    net = build().eval()
    net.load_state_dict(filling.filled(filling.shapes_of(net.state_dict())))
    images = filling.images(2, 64, 32)
    filling.calibrate(net, lambda: embed(net, images))
    torch.save(net.state_dict(), tmp_path / "theirs.pth")
    done = convert_checkpoint(tmp_path / "theirs.pth", tmp_path / "ours.pth")
    assert done.config.stem == config and done.source.name == "torchvision" and done.fit.complete
    content = read_checkpoint(tmp_path / "ours.pth")
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(config_of(content, "ours.pth").model)
    load_state(model, content, "ours.pth")
    model.eval()
    with torch.no_grad():
        theirs = torch.nn.functional.normalize(embed(net, images))
        assert (model.embed(images) - theirs).abs().max() < 1e-5
        assert (model.embed(images.flip(1)) - theirs).abs().max() > 1e-3


def test_names_and_choice_of_a_vision_transformer():
    from helpers.source_checks import choice, renamed

    state = torchvision.models.VisionTransformer(**VIT).state_dict()
    assert choice("torchvision", state).config == "torchvision_vit_b16"
    names = renamed("torchvision", *state)
    assert names["encoder.pos_embedding"] == "backbone.pos_embed"
    assert names["encoder.layers.encoder_layer_1.mlp.0.bias"] == (
        "backbone.layers.1.ffn.layers.0.0.bias"
    )
    assert "heads.head.weight" not in names
