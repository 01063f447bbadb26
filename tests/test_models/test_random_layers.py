"""Dropout and stochastic depth: W ranks drop what one rank drops, in every kind of backbone."""

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmreid_ext.distributed import Places
from mmreid_ext.models import random_layers
from mmreid_ext.models.random_layers import (
    BatchDropout,
    BatchDropPath,
    draw_for_global_batch,
    layers_that_draw_alone,
    layers_that_seed_themselves,
)

PATCHES = dict(img_size=32, patch_size=16)
BOTH = dict(drop_path_rate=0.5, drop_rate=0.2)
WINDOWS = dict(embed_dims=8, depths=[2, 2], num_heads=[1, 2], extra_norm_every_n_blocks=0)
DENSE = dict(type="DenseNet", arch=dict(growth_rate=4, depths=[2, 2], init_channels=8))
FUSED = dict(type="VisionTransformer", arch="deit-tiny", layer_cfgs=dict(attn_drop_rate=0.1))
REVERSIBLE = dict(type="RevVisionTransformer", arch="deit-tiny", **PATCHES)
BACKBONES = [
    dict(type="ResNet", depth=18, drop_path_rate=0.5, stem_channels=4, base_channels=4),
    dict(type="VisionTransformer", arch="deit-tiny", **PATCHES, **BOTH),
    dict(type="SwinTransformerV2", arch=WINDOWS, img_size=32, window_size=4, out_indices=(1,))
    | BOTH,
    dict(type="ConvNeXt", arch=dict(depths=[1] * 4, channels=[8] * 4), drop_path_rate=0.5),
    dict(type="EfficientNet", arch="b0", drop_path_rate=0.5),
    dict(type="VAN", arch=dict(embed_dims=[8] * 4, depths=[1] * 4, ffn_ratios=[2] * 4)) | BOTH,
    dict(type="XCiT", patch_size=16, embed_dims=32, depth=2, num_heads=2, attn_drop_rate=0.2)
    | BOTH,
    dict(type="DaViT", arch=dict(embed_dims=8, depths=[1, 1], num_heads=[1, 1]), out_indices=(1,))
    | dict(drop_path_rate=0.5),
    dict(type="BEiTViT", arch="deit-tiny", **PATCHES, **BOTH),
    dict(type="TNT", arch="s", img_size=32, **BOTH),
    dict(type="HiViT", arch="tiny", img_size=64, **BOTH),
    dict(type="ViTEVA02", arch="tiny", **PATCHES, **BOTH),
]


def built(cfg):
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(cfg)
    draw_for_global_batch(model)
    model.train()
    for layer in model.modules():
        if isinstance(layer, _BatchNorm):
            layer.eval()  # rows must not meet
    return model


def output(model, x, seed=1):
    torch.manual_seed(seed)
    out = model(x)
    return (out[-1] if isinstance(out, (tuple, list)) else out).detach()


def pretend_to_be(monkeypatch, rank, world_size):
    def places(rows, device="cpu"):
        return Places(torch.arange(rows) + rank * rows, torch.arange(world_size * rows))

    monkeypatch.setattr(random_layers, "is_distributed", lambda: True)
    monkeypatch.setattr(random_layers, "places_of_rows", places)


@pytest.mark.parametrize("cfg", BACKBONES, ids=lambda cfg: cfg["type"])
def test_two_ranks_drop_what_one_drops(cfg, monkeypatch):
    torch.manual_seed(0)
    model = built(cfg)
    assert not layers_that_draw_alone(model)
    size = cfg.get("img_size", 64)
    x = torch.randn(4, 3, size, size)
    one = output(model, x)
    assert not torch.equal(one, output(model, x, seed=2)), "nothing is drawn"
    parts = []
    for rank in range(2):
        pretend_to_be(monkeypatch, rank, 2)
        parts.append(output(model, x[2 * rank : 2 * rank + 2]))
    torch.testing.assert_close(torch.cat(parts), one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("cfg", "alone", "seeding"),
    [
        (DENSE, False, False),
        (DENSE | dict(drop_rate=0.1), True, False),
        (FUSED, True, False),
        (REVERSIBLE, False, False),
        (REVERSIBLE | dict(drop_path_rate=0.5), True, True),
    ],
)
def test_exceptions_are_known(cfg, alone, seeding):
    model = built(cfg)
    assert bool(layers_that_draw_alone(model)) == alone
    assert bool(layers_that_seed_themselves(model)) == seeding


def random_pair():
    return nn.Sequential(nn.Dropout(0.5), MODELS.build(dict(type="DropPath", drop_prob=0.5)))


def test_layers_are_replaced_and_drop_as_often():
    model = nn.ModuleDict(dict(inner=random_pair(), outer=nn.Dropout(1.0)))
    draw_for_global_batch(model)
    kinds = [type(layer) for layer in (*model["inner"], model["outer"])]
    assert kinds == [BatchDropout, BatchDropPath, BatchDropout]
    x = torch.ones(1000, 4)
    torch.manual_seed(0)
    dropped, paths, nothing = model["inner"][0](x), model["inner"][1](x), model["outer"](x)
    assert set(dropped.unique().tolist()) == {0.0, 2.0} and abs(dropped.mean() - 1) < 0.1
    assert torch.equal(paths, paths[:, :1].expand_as(paths)) and abs(paths.mean() - 1) < 0.2
    assert not nothing.any()
    model.eval()
    assert model["inner"](x) is x


def test_stochastic_depth_is_mmpretrains_on_one_rank():
    ours = random_pair()
    theirs = ours[1]
    draw_for_global_batch(ours)
    x = torch.randn(16, 3, 2, 2)
    torch.manual_seed(1)
    expected = theirs(x)
    torch.manual_seed(1)
    assert torch.equal(ours[1](x), expected)
