"""Backbones and parts beyond ResNet: what they compute, by slow and obvious means."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmreid_ext.models import BatchInstanceNorm2d, ReIDModel
from mmreid_ext.models.backbones import OSNet, ResNetIBN
from mmreid_ext.models.backbones.osnet import OSBlock
from mmreid_ext.models.backbones.resnet_ibn import InstanceBatchNorm2d

BN = dict(type="BN")
HEAD = dict(
    type="mmreid_ext.BNNeckHead",
    num_classes=4,
    in_channels=512,
    losses=dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss")),
)


def count_parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("width", "published"), [(1.0, 2_193_616), (0.25, 203_568)])
def test_osnet_sizes_are_the_published_ones(width, published):
    model = OSNet(width, norm_cfg=BN)
    gates = sum(count_parameters(m.gate) for m in model.modules() if isinstance(m, OSBlock))
    # torchreid counts a parameter each time it is used, and a gate serves four streams.
    assert count_parameters(model) + 3 * gates == published


def test_osnet_maps_and_features():
    images = torch.randn(2, 3, 64, 32)
    assert OSNet(0.25, norm_cfg=BN).eval()(images)[0].shape == (2, 512)
    assert OSNet(0.25, feature_dim=0, norm_cfg=BN).eval()(images)[0].shape == (2, 128, 4, 2)
    with pytest.raises(ValueError, match="at least 0.25, got 0.1"):
        OSNet(0.1)


def test_osnet_block_sums_four_streams_through_one_gate():
    torch.manual_seed(0)
    block = OSBlock(64, 64, BN).eval()
    x = torch.randn(2, 64, 5, 3)
    reduced = block.conv1(x)
    total = 0
    for stream in ([block.conv2a], block.conv2b, block.conv2c, block.conv2d):
        y = reduced
        for layer in stream:
            y = F.conv2d(F.conv2d(y, layer.conv1.weight), layer.conv2.weight, padding=1, groups=16)
            y = F.relu(layer.bn(y))
        gate = F.relu(block.gate.fc1(y.mean((2, 3), keepdim=True)))
        total = total + y * torch.sigmoid(block.gate.fc2(gate))
    expected = F.relu(block.conv3.bn(block.conv3.conv(total)) + x)
    torch.testing.assert_close(block(x), expected)
    assert [len(block.conv2b), len(block.conv2c), len(block.conv2d)] == [2, 3, 4]


def test_osnet_takes_batch_instance_norms():
    model = OSNet(0.25, norm_cfg=dict(type="mmreid_ext.BIN"))
    norms = [m for m in model.modules() if isinstance(m, BatchInstanceNorm2d)]
    # 1 stem + per block 2 pointwise and 10 light convolutions, 3 shortcuts, 2 transitions, 1 last
    assert len(norms) == 1 + 6 * 12 + 3 + 2 + 1


def test_instance_batch_norm_splits_the_channels():
    torch.manual_seed(0)
    layer = InstanceBatchNorm2d(6, BN)
    x = torch.randn(4, 6, 5, 3) + 2
    expected = torch.cat(
        (F.instance_norm(x[:, :3]), F.batch_norm(x[:, 3:], None, None, training=True)), dim=1
    )
    torch.testing.assert_close(layer(x), expected)


def test_ibn_a_stands_in_the_first_norm_of_the_first_three_stages():
    model = ResNetIBN(50, norm_cfg=BN)
    names = [n for n, m in model.named_modules() if isinstance(m, InstanceBatchNorm2d)]
    blocks = [(1, 3), (2, 4), (3, 6)]
    assert names == [f"layer{s}.{b}.bn1" for s, count in blocks for b in range(count)]
    assert {"layer1.0.bn1.IN.weight", "layer1.0.bn1.BN.running_mean"} <= set(model.state_dict())
    model.eval()
    with torch.no_grad():
        assert model(torch.randn(1, 3, 64, 32))[-1].shape == (1, 2048, 2, 1)


@pytest.mark.parametrize(
    "changes",
    [
        dict(backbone=dict(type="mmreid_ext.OSNet", width=0.25), neck=None),
        dict(
            backbone=dict(type="mmpretrain.ResNet", depth=18, norm_cfg=BN),
            neck=dict(type="mmpretrain.GeneralizedMeanPooling"),
        ),
        dict(
            backbone=dict(type="mmpretrain.ResNet", depth=18, norm_cfg=BN),
            stage_plugins=dict(layer1=dict(type="mmreid_ext.MixStyle")),
        ),
    ],
    ids=["osnet", "gem", "mixstyle"],
)
def test_models_of_these_parts_train(changes):
    torch.manual_seed(0)
    model = ReIDModel(head=HEAD, **changes)
    features = model.extract(torch.randn(4, 3, 64, 32))
    F.cross_entropy(features.logits, torch.arange(4)).backward()
    without = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not without
    embeddings = model.eval()(torch.randn(2, 3, 64, 32))
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))


def test_a_plugin_keeps_the_names_of_parameters_and_needs_a_stage():
    backbone = dict(type="mmpretrain.ResNet", depth=18, norm_cfg=BN)
    plain = ReIDModel(backbone, HEAD)
    mixed = ReIDModel(backbone, HEAD, stage_plugins=dict(layer2=dict(type="mmreid_ext.MixStyle")))
    assert {n for n, _ in plain.named_parameters()} == {n for n, _ in mixed.named_parameters()}
    assert isinstance(mixed.backbone.layer2, nn.Sequential)
    with pytest.raises(ValueError, match=r"ResNet has no stage 'stage1'; it has layer1, layer2"):
        ReIDModel(backbone, HEAD, stage_plugins=dict(stage1=dict(type="mmreid_ext.MixStyle")))
