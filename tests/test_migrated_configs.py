"""Configurations of converted networks build, and test as those of other recipes do."""

import pytest
import torch
from helpers.paths import CONFIGS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmreid_ext.apis.configuration import find_config, without_downloads
from mmreid_ext.checkpoint.usage import deployment_info, describe_config
from mmreid_ext.image_loading import evaluation_steps
from mmreid_ext.registry import MODELS

PATHS = sorted((CONFIGS / "migrated").glob("*.py"))
LARGE = {"timm_dinov2_s14"}  # pictures of 518 x 518


def small(model):
    """The same network with few layers where that is a setting."""
    backbone = model["backbone"]
    if backbone["type"] == "VisionTransformer":
        width = model["head"]["in_channels"] if model.get("neck") is None else 768
        arch = dict(embed_dims=width, num_layers=1, num_heads=6, feedforward_channels=16)
        backbone["arch"] = arch
    return model


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_builds_and_says_how_an_image_becomes_an_embedding(path):
    cfg = Config.fromfile(path)
    assert find_config(path.stem) == path
    assert not any(value for name, value in walk(cfg.model) if name == "init_cfg")
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(without_downloads(small(cfg.model)))
    model.eval()
    steps = evaluation_steps(cfg)
    info = deployment_info(model, steps.transforms, cfg.model, steps.loader)
    height, width = info["input"]["height"], info["input"]["width"]
    (step,) = info["input"]["steps"]
    assert step["backend"] == "pillow"
    assert describe_config(cfg)["model"]["backbone"]["type"]
    size = (height, width) if hasattr(model.backbone, "pos_embed") else (64, 32)
    if path.stem not in LARGE:
        with torch.no_grad():
            found = model.embed(torch.randn(1, 3, *size))
        assert found.shape == (1, info["embedding"]["size"])


def walk(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from walk(value)
