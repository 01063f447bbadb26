"""Batch norms that see one rank's images are named at the start; others cause no word."""

import pytest
import torch
from helpers.distributed import run_distributed
from helpers.tiny_reid import tiny_model
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn

from mmreid_ext.engine.settings import plain_norms as module
from mmreid_ext.engine.settings.plain_norms import plain_norms
from mmreid_ext.registry import MODELS


class Derived(nn.BatchNorm2d):
    """As timm's backbones have them."""


@MODELS.register_module()
class OwnBackbone(nn.Module):
    """A backbone as somebody writes it who has never seen a ``norm_cfg``."""

    def __init__(self, norm_eval=False):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16)
        self.second = nn.Sequential(nn.ReLU(), Derived(16))
        self.norm_eval = norm_eval

    def forward(self, x):
        return (self.second(self.bn(self.conv(x))),)


def model_of(**options):
    return tiny_model() | dict(backbone=dict(type="mmreid_ext.OwnBackbone", **options))


def test_which_norms_are_found():
    assert plain_norms(MODELS.build(model_of())) == ["backbone.bn", "backbone.second.1"]
    assert plain_norms(MODELS.build(model_of(norm_eval=True))) == []
    for norm in ("mmreid_ext.SyncBN", "mmreid_ext.BIN", "torch"):
        settings = model_of() if norm == "torch" else tiny_model(norm)
        model = MODELS.build(settings)
        if norm == "torch":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        assert plain_norms(model) == [], norm
    frozen = MODELS.build(model_of())
    frozen.backbone.bn.requires_grad_(False)
    assert plain_norms(frozen) == ["backbone.second.1"]
    assert plain_norms(nn.Sequential(nn.BatchNorm2d(3, affine=False))) == ["0"]


def train(rank: int, world_size: int, folder: str, loop: dict, is_global: bool) -> list:
    """Train two steps; return what was said of norms, and the running mean of the first."""
    texts = []
    module.print_log = lambda text, **_: texts.append(text)
    wrapper = dict(type="mmengine.MMDistributedDataParallel", device_ids=None)
    loader = dict(
        batch_size=32 if is_global else 32 // world_size,
        num_workers=0,
        drop_last=True,
        sampler=dict(type="mmreid_ext.PKSampler", num_instances=4),
        dataset=dict(type="mmreid_ext.TinyReID", dtype="float32"),
        collate_fn=dict(type="default_collate"),
    )
    runner = Runner.from_cfg(
        Config(
            dict(
                default_scope="mmpretrain",
                batch_size_is_global=is_global,
                work_dir=folder,
                launcher="pytorch" if world_size > 1 else "none",
                model=model_of(),
                train_dataloader=loader,
                train_cfg=loop,
                optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.01)),
                model_wrapper_cfg=wrapper | dict(broadcast_buffers=False),
                log_level="ERROR",
                randomness=dict(seed=0),
            )
        )
    )
    network = runner.train()
    return [texts, getattr(network, "module", network).backbone.bn.running_mean]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mmreid_ext.ReIDTrainLoop", "IterBasedTrainLoop"])
def test_two_ranks_say_so_once_and_one_rank_does_not(tmp_path, kind):
    loop = dict(type=kind, max_iters=2)
    ((texts, one),) = run_distributed(train, 1, str(tmp_path), loop, True)
    assert texts == []
    (texts, first), (_, second) = run_distributed(train, 2, str(tmp_path), loop, True)
    assert len(texts) == 1
    assert texts[0].startswith("model: 2 batch norms see the images of one of 2 ranks only ")
    assert "(backbone.bn, backbone.second.1)" in texts[0]
    assert "mmreid_ext.SyncBN" in texts[0] and "batch_size_is_global=True" in texts[0]
    # What the warning is about.
    assert (first - second).abs().max() > 1e-4 and (first - one).abs().max() > 1e-4


@pytest.mark.slow
def test_batches_of_each_rank_are_warned_of_too(tmp_path):
    loop = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=1)
    for texts, _ in run_distributed(train, 2, str(tmp_path), loop, False):
        assert len(texts) == 1 and "statistics of rank 0" in texts[0]


def test_the_remedy_is_right():
    norm = MODELS.build(dict(type="mmreid_ext.SyncBN", num_features=16))
    assert plain_norms(norm) == [] and norm(torch.ones(2, 16, 3, 3)).shape == (2, 16, 3, 3)
