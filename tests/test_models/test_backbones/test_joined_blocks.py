"""Blocks whose branches share messages are the same blocks, on one rank and on two."""

import copy
import pickle

import pytest
import torch
from helpers.distributed import run_distributed
from helpers.tools import load_tool
from mmpretrain.models.backbones.resnet import BasicBlock, Bottleneck, ResNet

from mmreid_ext.distributed import get_rank, get_world_size
from mmreid_ext.models import ReIDModel
from mmreid_ext.models.backbones import OSNet, ResNetIBN
from mmreid_ext.models.backbones.joined_blocks import (
    JoinedBasicBlock,
    JoinedBottleneck,
    join_branches,
)

BIN, SYNC = dict(type="mmreid_ext.BIN"), dict(type="mmreid_ext.SyncBN")
NARROW = dict(stem_channels=4, base_channels=4, strides=(1, 2, 2, 1), norm_cfg=BIN)


def build(kind):
    torch.manual_seed(0)
    if kind.startswith("osnet"):
        norms = kind.partition("_")[2] or None
        model = OSNet(0.25, feature_dim=0, norm_cfg=BIN, instance_norms=norms)
    elif kind == "ibn":
        model = ResNetIBN(18, out_indices=(3,), **NARROW | dict(norm_cfg=SYNC))
        join_branches(model)
    else:
        depth = dict(basic=18, bottleneck=50, deep_stem=50)[kind]
        model = ResNet(depth, avg_down=kind == "deep_stem", out_indices=(3,), **NARROW)
        model.init_weights()
        join_branches(model)
    model.double().train()
    for name, p in model.named_parameters():
        if name.endswith("gate"):
            torch.nn.init.uniform_(p, 0.3, 0.9)
    return model


def run(kind):
    """Features and gradients by images of this rank, parameters' gradients, running averages."""
    model = build(kind)
    generator = torch.Generator().manual_seed(2)
    images = torch.randn(4, 3, 64, 32, dtype=torch.float64, generator=generator)
    images = images.chunk(get_world_size())[get_rank()].clone().requires_grad_()
    with load_tool("benchmarks/counted_messages").noted_messages() as messages:
        y = model(images)[-1]
        weights = torch.linspace(-1, 1, y[0].numel(), dtype=y.dtype).reshape(y[0].shape)
        grads = torch.autograd.grad((y * weights).sum(), [images, *model.parameters()])
    numbers = [sum(m.name == name for m in messages) for name in ("gather", "sum")]
    averages = [b.detach().double() for b in model.buffers()]
    return [y.detach(), grads[0]], list(grads[1:]), averages, numbers


KINDS = ("basic", "bottleneck", "deep_stem", "ibn", "osnet", "osnet_ibn", "osnet_ain")


def run_all(rank, world_size):
    return {kind: run(kind) for kind in KINDS}


@pytest.fixture(scope="module")
def by_rank():
    return run_distributed(run_all, 2, timeout=300)


@pytest.mark.parametrize(
    # Norms besides those that share: of 20 in ResNet-18 3, of 53 in ResNet-50 4 are a shortcut's.
    # OSNet: 6 blocks of 1 + 4 + 1, the stem, two transitions and the last convolution. An instance
    # norm in a norm's place sends nothing: the stem of -IBN, and two blocks more of -AIN (its other
    # two have a shortcut's norm left to send).
    ("kind", "messages"),
    [
        *(("basic", 17), ("bottleneck", 49), ("deep_stem", 49), ("ibn", 17)),
        *(("osnet", 40), ("osnet_ibn", 39), ("osnet_ain", 37)),
    ],
)
def test_two_ranks_equal_one(by_rank, kind, messages):
    rows, sums, averages, none = run(kind)
    first, second = (found[kind] for found in by_rank)
    # Float64. Rounding grows from layer to layer of an untrained network, by up to 1e9 in the
    # gradients of ResNet-50's images; a gradient that is wrong differs by its own size.
    close = dict(rtol=1e-4, atol=1e-5)
    joined = list(map(torch.cat, zip(first[0], second[0], strict=True)))
    torch.testing.assert_close(joined, rows, **close)
    added = [a + b for a, b in zip(first[1], second[1], strict=True)]
    torch.testing.assert_close(added, sums, **close)
    torch.testing.assert_close(first[2], averages, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(second[2], first[2], rtol=0, atol=0)
    assert none == [0, 0] and first[3] == second[3] == [messages, messages]


def test_only_blocks_with_a_shortcut_convolution_are_joined():
    model = ResNet(50, **NARROW)
    before = model.state_dict()
    plain = [type(m) for m in model.modules()].count(Bottleneck)
    join_branches(model)
    joined = [type(m) for m in model.modules()].count(JoinedBottleneck)
    assert (joined, [type(m) for m in model.modules()].count(Bottleneck)) == (4, plain - 4)
    assert model.state_dict().keys() == before.keys()
    join_branches(model)  # again: nothing
    assert [type(m) for m in model.modules()].count(JoinedBottleneck) == 4


def test_derived_classes_stay_as_they_are():
    class OwnBlock(BasicBlock):
        def forward(self, x):
            return x

    model = torch.nn.Sequential(OwnBlock(4, 4, downsample=torch.nn.Sequential(torch.nn.ReLU())))
    join_branches(model)
    assert type(model[0]) is OwnBlock


def test_joined_blocks_are_copied_and_pickled():
    model = ResNet(18, **NARROW)
    join_branches(model)
    model.eval()
    images = torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(0))
    expected = model(images)[-1]
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(images)[-1], expected)
        assert sum(isinstance(m, JoinedBasicBlock) for m in other.modules()) == 3


def test_re_identification_models_have_them():
    head = dict(type="mmreid_ext.EmbeddingHead", in_channels=32, losses={})
    model = ReIDModel(dict(type="mmpretrain.ResNet", depth=18, **NARROW), head)
    assert sum(isinstance(m, JoinedBasicBlock) for m in model.modules()) == 3
