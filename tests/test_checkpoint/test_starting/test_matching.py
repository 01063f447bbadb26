"""Weights of other programs give the same features in our backbones."""

import logging

import pytest
import torch
import torchvision
from mmengine.registry import DefaultScope
from torch import nn

from mmreid_ext.checkpoint.starting import matched_state, matching
from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(
        matching, "print_log", lambda text, logger, level: lines.append((level, text))
    )
    return lines


def backbone(**settings):
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        return MODELS.build(settings)


def settled(network, images):
    """Give a network the statistics of its input, so that features depend on every weight."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    network.train()
    with torch.no_grad():
        network(images)
    network.eval()
    return network


def same_features(ours, theirs, images, said, atol=1e-5):
    state = matched_state(ours, theirs.state_dict(), "file.pth")
    ours.load_state_dict({n: v for n, v in state.items() if n in ours.state_dict()})
    ours.eval()
    with torch.no_grad():
        torch.testing.assert_close(ours(images)[0], theirs.features(images), atol=atol, rtol=1e-4)
    assert [level for level, _ in said] == [logging.INFO], said


def test_mobilenet_v2_of_torchvision(said):
    images = torch.randn(2, 3, 64, 32)
    theirs = settled(torchvision.models.mobilenet_v2(), images)
    same_features(backbone(type="MobileNetV2"), theirs, images, said)
    assert "torchvision's MobileNetV2" in said[0][1] and "not used: classifier.1" in said[0][1]


def test_vision_transformer_of_torchvision(said):
    size = dict(image_size=32, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=64)
    theirs = torchvision.models.VisionTransformer(patch_size=16, **size)
    arch = dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=64)
    ours = backbone(type="VisionTransformer", arch=arch, img_size=32, patch_size=16)
    theirs.features = lambda x: theirs.encoder(
        torch.cat([theirs.class_token.expand(len(x), -1, -1), theirs._process_input(x)], 1)
    )[:, 0]
    same_features(ours, theirs.eval(), torch.randn(2, 3, 32, 32), said)


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: dict(model=s)], ids=["plain", "nested"])
@pytest.mark.parametrize("prefix", ["", "module.", "backbone."])
def test_a_resnet_in_any_wrapping(said, prefix, wrap):
    theirs = torchvision.models.resnet18().state_dict()
    ours = backbone(type="ResNet", depth=18)
    state = matched_state(ours, wrap({prefix + n: v for n, v in theirs.items()}), "file.pth")
    assert all(torch.equal(state[name], theirs[name]) for name in ours.state_dict())
    assert said == [(logging.INFO, said[0][1])] and "fc.weight" in said[0][1]


def test_what_does_not_match_is_named(said):
    theirs = torchvision.models.resnet18().state_dict()
    theirs["strange.weight"] = torch.ones(1)
    theirs["layer1.0.conv1.weight"] = torch.ones(1)
    del theirs["layer2.0.conv1.weight"]
    matched_state(backbone(type="ResNet", depth=18), theirs, "file.pth")
    ((level, text),) = said
    assert level == logging.WARNING
    assert "not in the file: layer2.0.conv1.weight" in text and "strange.weight" in text
    assert "of another shape: layer1.0.conv1.weight (1,) (here (64, 64, 3, 3))" in text


def test_gates_start_at_their_own_values(said):
    ours = backbone(type="ResNet", depth=18, norm_cfg=dict(type="mmreid_ext.BIN"))
    matched_state(ours, torchvision.models.resnet18().state_dict(), "file.pth")
    assert said[0][0] == logging.INFO and "not in the file" not in said[0][1]


@pytest.mark.parametrize("state", [{}, dict(a=torch.ones(2)), dict(meta=3)])
def test_nothing_that_fits_is_refused(state):
    with pytest.raises(UserError, match="No weight of file.pth fits ResNet"):
        matched_state(backbone(type="ResNet", depth=18), state, "file.pth")
