"""GhostNet: published sizes, its parts by slow and obvious means, batch-instance norms."""

import pytest
import torch
import torch.nn.functional as F

from mmreid_ext.models import BatchInstanceNorm2d, ReIDModel
from mmreid_ext.models.backbones import GhostNet
from mmreid_ext.models.backbones.ghostnet import GhostBottleneck, GhostModule, rounded

BN = dict(type="BN")
# timm's counts of the whole networks, less the layers after pooling (1280-d and 1000 classes).
PUBLISHED = {1.0: 5_182_508, 0.5: 2_587_292, 1.3: 7_358_820}


def randomized(module):
    """With running statistics and affine parameters that differ from channel to channel."""
    generator = torch.Generator().manual_seed(0)
    for name, value in module.state_dict().items():
        if value.is_floating_point() and value.dim() == 1:
            value.uniform_(0.5, 2, generator=generator)
            if name.endswith(("mean", "bias")):
                value.sub_(1.2)
    return module.eval()


@pytest.mark.parametrize("width", PUBLISHED)
def test_sizes_are_the_published_ones(width):
    model = GhostNet(width, norm_cfg=BN)
    assert model.out_channels == rounded(960 * width)
    after_pooling = (model.out_channels + 1) * 1280 + 1281 * 1000
    assert sum(p.numel() for p in model.parameters()) + after_pooling == PUBLISHED[width]


def test_strides_multiply_to_32_and_names_are_those_of_published_weights():
    model = GhostNet(0.5, norm_cfg=BN).eval()
    assert model(torch.randn(2, 3, 96, 64))[0].shape == (2, 480, 3, 2)
    names = model.state_dict().keys()
    for name in (
        "conv_stem.weight",
        "bn1.running_mean",
        "blocks.0.0.ghost1.primary_conv.0.weight",
        "blocks.0.0.ghost2.cheap_operation.1.bias",
        "blocks.3.0.conv_dw.weight",
        "blocks.3.0.bn_dw.weight",
        "blocks.3.0.se.conv_reduce.bias",
        "blocks.3.0.shortcut.2.weight",
        "blocks.9.0.conv.weight",
        "blocks.9.0.bn1.weight",
    ):
        assert name in names
    assert len(model.blocks) == 10


def bn(x, norm):
    shape = (1, -1, 1, 1)
    y = (x - norm.running_mean.view(shape)) / (norm.running_var.view(shape) + norm.eps).sqrt()
    return y * norm.weight.view(shape) + norm.bias.view(shape)


def ghosts(x, module, relu):
    """Every ghost map by its own two-dimensional convolution."""
    act = F.relu if relu else (lambda y: y)
    primary = act(bn(F.conv2d(x, module.primary_conv[0].weight), module.primary_conv[1]))
    filters = module.cheap_operation[0].weight
    maps = [
        F.conv2d(primary[:, i : i + 1], filters[i : i + 1], padding=1) for i in range(len(filters))
    ]
    cheap = act(bn(torch.cat(maps, 1), module.cheap_operation[1]))
    return torch.cat([primary, cheap], 1)


def test_ghost_module_drops_the_last_ghost_of_an_odd_number():
    module = randomized(GhostModule(3, 5, BN, relu=True))
    x = torch.randn(2, 3, 6, 4)
    torch.testing.assert_close(module(x), ghosts(x, module, relu=True)[:, :5])


def test_bottleneck_with_stride_and_squeeze_and_excitation():
    block = randomized(GhostBottleneck(4, 8, 6, kernel=5, stride=2, with_se=True, norm_cfg=BN))
    x = torch.randn(2, 4, 8, 6)
    y = ghosts(x, block.ghost1, relu=True)
    y = bn(F.conv2d(y, block.conv_dw.weight, stride=2, padding=2, groups=8), block.bn_dw)
    hidden = F.relu(F.conv2d(y.mean((2, 3), keepdim=True), *block.se.conv_reduce.parameters()))
    gate = F.relu6(F.conv2d(hidden, *block.se.conv_expand.parameters()) + 3) / 6
    y = ghosts(y * gate, block.ghost2, relu=False)
    short = F.conv2d(x, block.shortcut[0].weight, stride=2, padding=2, groups=4)
    short = bn(F.conv2d(bn(short, block.shortcut[1]), block.shortcut[2].weight), block.shortcut[3])
    torch.testing.assert_close(block(x), y + short)


def test_a_block_of_equal_shape_adds_its_input():
    block = randomized(GhostBottleneck(4, 8, 4, kernel=3, stride=1, with_se=False, norm_cfg=BN))
    x = torch.randn(2, 4, 5, 3)
    expected = ghosts(ghosts(x, block.ghost1, relu=True), block.ghost2, relu=False) + x
    torch.testing.assert_close(block(x), expected)


def test_batch_instance_norms_everywhere_and_one_training_step():
    model = ReIDModel(
        backbone=dict(type="mmreid_ext.GhostNet", width=0.5, norm_cfg=dict(type="mmreid_ext.BIN")),
        head=dict(
            type="mmreid_ext.EmbeddingHead",
            in_channels=480,
            embedding_dim=8,
            losses=dict(pair=dict(type="mmreid_ext.EMLLoss")),
        ),
    )
    norms = [m for m in model.backbone.modules() if "Norm" in type(m).__name__]
    assert norms and all(isinstance(m, BatchInstanceNorm2d) for m in norms)
    features = model.extract(torch.randn(4, 3, 64, 32))
    terms = model.head.loss(features, torch.tensor([0, 0, 1, 1]), torch.zeros(4, dtype=torch.int64))
    terms["loss_pair"].backward()
    assert model.backbone.conv_stem.weight.grad.abs().max() > 0


def test_width_must_be_positive():
    with pytest.raises(ValueError, match="width=0 must be positive"):
        GhostNet(0)
