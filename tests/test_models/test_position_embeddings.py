"""Weights of a transformer are loaded at another image size, by every way of loading."""

from types import SimpleNamespace

import pytest
import torch
from helpers.small_vit import HEAD, SMALL_VIT, vit
from mmengine.config import Config
from mmengine.runner.checkpoint import load_state_dict

from mmreid_ext.checkpoint.usage import KEY, deployment_info
from mmreid_ext.engine.hooks import DeploymentInfoHook
from mmreid_ext.models import ReIDModel
from mmreid_ext.models.position_embeddings import likely_grid, resize_loaded


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


def mark_places(model, height, width):
    """Give every patch embeddings that say its row and its column."""
    with torch.no_grad():
        rows, columns = torch.arange(float(height)), torch.arange(float(width))
        model.backbone.pos_embed[0, 1:, 0] = rows.repeat_interleave(width)
        model.backbone.pos_embed[0, 1:, 1] = columns.repeat(height)
    return model


def load_backbone(model, state):
    """As ``init_cfg = dict(type='Pretrained', prefix='backbone.')`` does."""
    prefix = "backbone."
    state = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    load_state_dict(model.backbone, state)


def check_places(source, model, size):
    height, width = size[0] // 8, size[1] // 8
    grid = model.backbone.pos_embed[0, 1:].reshape(height, width, -1)
    assert torch.equal(model.backbone.pos_embed[0, 0], source.backbone.pos_embed[0, 0])
    assert (grid[1:, :, 0] - grid[:-1, :, 0]).min() > 0  # down the picture
    assert (grid[..., 0] - grid[:, :1, 0]).abs().max() < 1e-5
    assert (grid[:, 1:, 1] - grid[:, :-1, 1]).min() > 0  # across it
    assert model(torch.randn(1, 3, *size)).shape == (1, 24)


@pytest.mark.parametrize("size", [(96, 32), (96, 48), (128, 64)])
@pytest.mark.parametrize("load", [torch.nn.Module.load_state_dict, load_state_dict, load_backbone])
def test_a_transformer_is_tuned_at_another_size(size, load):
    source, model = mark_places(vit(), 8, 4), vit(size)
    load(model, source.state_dict())
    check_places(source, model, size)


@pytest.mark.parametrize("kind", ["DistilledVisionTransformer", "DeiT3", "RevVisionTransformer"])
def test_other_transformers_with_position_embeddings(kind):
    def build(size):
        backbone = dict(type=f"mmpretrain.{kind}", arch=SMALL_VIT, img_size=size, patch_size=8)
        return ReIDModel(backbone, dict(HEAD, in_channels=24), neck=None)

    source, model = build((64, 32)), build((96, 32))
    model.load_state_dict(source.state_dict())
    assert model.backbone.pos_embed.shape[1] == source.backbone.pos_embed.shape[1] + 16


def test_a_recorded_size_tells_a_grid_of_a_square_number_of_patches():
    """16 x 4 patches are as many as 8 x 8."""
    source, model = mark_places(vit((128, 32)), 16, 4), vit((192, 48))
    pipeline = [dict(type="Resize", scale=(32, 128))]
    checkpoint = dict(
        meta={KEY: deployment_info(source, pipeline)}, state_dict=dict(source.state_dict())
    )
    runner = SimpleNamespace(model=model, cfg=Config(), _train_loop=object(), _load_from="w.pth")
    DeploymentInfoHook().after_load_checkpoint(runner, checkpoint)
    model.load_state_dict(checkpoint["state_dict"])
    check_places(source, model, (192, 48))


def test_squares_stay_with_mmpretrain():
    source = vit((64, 64))
    model = vit((64, 32))
    model.load_state_dict(source.state_dict())
    assert model.backbone.pos_embed.shape == (1, 33, 24)


def test_the_size_of_the_images_decides_where_the_number_of_patches_fits_several_grids():
    """Without it 64 patches are a square, and left alone; with it they are 16 x 4."""
    source, model = mark_places(vit((128, 32)), 16, 4), vit((96, 96))
    state = dict(source.state_dict())
    resize_loaded(model.backbone, state, "backbone.")
    assert state["backbone.pos_embed"].shape == (1, 65, 24)
    resize_loaded(model.backbone, state, "backbone.", source_size=(128, 32))
    model.load_state_dict(state)
    check_places(source, model, (96, 96))


def test_anything_without_position_embeddings_is_left_alone():
    state = {"backbone.pos_embed": torch.zeros(1, 9, 4)}
    resize_loaded(torch.nn.Linear(2, 2), state, "backbone.")
    assert state["backbone.pos_embed"].shape == (1, 9, 4)
    state = {"backbone.cls_token": torch.zeros(1, 1, 24)}
    resize_loaded(vit().backbone, state, "backbone.")
    assert list(state) == ["backbone.cls_token"]
