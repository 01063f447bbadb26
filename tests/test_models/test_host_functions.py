"""What MMPretrain's tools call on a model works on ours."""

import pytest
import torch
from mmengine.runner.checkpoint import load_state_dict
from mmpretrain.engine.optimizers import LearningRateDecayOptimWrapperConstructor

from mmreid_ext.errors import UserError
from mmreid_ext.models import ReIDModel
from mmreid_ext.models.position_embeddings import likely_grid

HEAD = dict(
    type="mmreid_ext.BNNeckHead",
    num_classes=3,
    losses=dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss")),
)
SMALL_VIT = dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48)


def vit(size=(64, 32), patch=8):
    backbone = dict(
        type="mmpretrain.VisionTransformer",
        arch=SMALL_VIT,
        img_size=size,
        patch_size=patch,
        out_type="cls_token",
    )
    torch.manual_seed(0)
    return ReIDModel(backbone, dict(HEAD, in_channels=24), neck=None).eval()


def resnet(depth=18):
    backbone = dict(type="mmpretrain.ResNet", depth=depth, stem_channels=4, base_channels=4)
    channels = 32 if depth == 18 else 128
    return ReIDModel(backbone, dict(HEAD, in_channels=channels)).eval()


def test_features_of_every_stage():
    model, images = resnet(), torch.randn(2, 3, 64, 32)
    (maps,) = model.extract_feat(images, stage="backbone")
    assert maps.shape == (2, 32, 2, 1)
    (pooled,) = model.extract_feat(images)
    torch.testing.assert_close(pooled, maps.mean((2, 3)))
    assert torch.equal(model.extract_feat(images, "pre_logits"), model(images))
    with pytest.raises(UserError, match="stage='logits'"):
        model.extract_feat(images, "logits")


@pytest.mark.parametrize("build", [vit, lambda: resnet(50)], ids=["ViT", "ResNet-50"])
def test_layer_wise_learning_rates(build):
    model = build()
    constructor = LearningRateDecayOptimWrapperConstructor(
        dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=1.0, weight_decay=0.0)),
        paramwise_cfg=dict(layer_decay_rate=0.5),
    )
    groups = constructor(model).optimizer.param_groups
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert len(set(rates.values())) > 2
    assert rates[id(model.head.classifier.weight)] == 1.0
    first = next(model.backbone.parameters())
    assert rates[id(first)] == min(rates.values())


def test_backbones_without_depths_say_so():
    with pytest.raises(UserError, match="MobileNetV2 doesn't number its layers"):
        ReIDModel(
            dict(type="mmpretrain.MobileNetV2"), dict(HEAD, in_channels=1280)
        ).get_layer_depth("backbone.conv1.weight")


# Position embeddings


@pytest.mark.parametrize(
    "patches, target, grid",
    [
        (128, (24, 8), (16, 8)),  # 256 x 128 to 384 x 128, patches of 16
        (128, (24, 12), (16, 8)),  # to 384 x 192
        (288, (16, 8), (24, 12)),
        (32, (16, 8), (8, 4)),
        (210, (21, 10), (21, 10)),
    ],
)
def test_likely_grids(patches, target, grid):
    assert likely_grid(patches, target) == grid


@pytest.mark.parametrize("size", [(96, 32), (96, 48), (128, 64)])
@pytest.mark.parametrize("load", [torch.nn.Module.load_state_dict, load_state_dict])
def test_a_transformer_is_tuned_at_another_size(size, load):
    source, model = vit(), vit(size)
    with torch.no_grad():  # rows and columns that can be told apart
        rows = torch.arange(8.0)[:, None].expand(8, 4)
        source.backbone.pos_embed[0, 1:, 0] = rows.flatten()
        source.backbone.pos_embed[0, 1:, 1] = torch.arange(4.0).repeat(8)
    load(model, source.state_dict())
    height, width = size[0] // 8, size[1] // 8
    grid = model.backbone.pos_embed[0, 1:].reshape(height, width, -1)
    assert torch.equal(model.backbone.pos_embed[0, 0], source.backbone.pos_embed[0, 0])
    assert (grid[1:, :, 0] - grid[:-1, :, 0]).min() > 0  # down the picture
    assert (grid[..., 0] - grid[:, :1, 0]).abs().max() < 1e-5
    assert (grid[:, 1:, 1] - grid[:, :-1, 1]).min() > 0  # across it
    assert model(torch.randn(1, 3, *size)).shape == (1, 24)


def test_squares_stay_with_mmpretrain():
    source = vit((64, 64))
    model = vit((64, 32))
    model.load_state_dict(source.state_dict())
    assert model.backbone.pos_embed.shape == (1, 33, 24)
