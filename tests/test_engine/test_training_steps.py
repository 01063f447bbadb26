"""Two ranks and resumed runs compute what one uninterrupted process computes, whatever it draws."""

import tempfile
from types import SimpleNamespace

import pytest
import torch
from helpers.distributed import run_distributed
from helpers.tiny_reid import LOSSES, TinyReID, tiny_model, tiny_runner
from mmpretrain.models import ResNet
from torch import nn

from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.engine import training_steps
from mmreid_ext.models.mix_style import MixStyle
from mmreid_ext.models.random_layers import BatchDropout, BatchDropPath
from mmreid_ext.registry import DATA_SAMPLERS, MODELS

GLOBAL_BATCH = 32
XBM = dict(
    type="mmreid_ext.CrossBatchMemory",
    loss=dict(type="mmreid_ext.ContrastiveLoss"),
    memory_size=40,  # no multiple of the batch: the order of its rows matters
    feat_dim=16,
    start_iter=0,
)
CENTER = dict(type="mmreid_ext.CenterLoss", num_classes=16, feat_dim=16)


@MODELS.register_module()
class DroppingResNet(ResNet):
    """Stochastic depth in its blocks, dropout behind its last stage."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs, drop_path_rate=0.4)
        getattr(self, self.res_layers[-1]).add_module("dropout", nn.Dropout(0.3))


def model_of(kind):
    norm = "mmreid_ext.SyncBN" if kind == "random epochs" else "mmreid_ext.BIN"
    model = tiny_model(norm, losses=dict(LOSSES, xbm=XBM, center=CENTER))
    if kind.startswith("random"):
        model["backbone"]["type"] = "mmreid_ext.DroppingResNet"
    if kind.startswith("styles"):
        plugin = dict(type="mmreid_ext.MixStyle", prob=0.7)
        model["stage_plugins"] = dict(layer1=plugin, layer2=plugin | dict(seed=1))
    if kind in ("unused plain", "unused epochs"):
        model["head"]["train_losses"] = ("triplet",)
    return model


def settings_of(kind, batch_size):
    loader = dict(
        batch_size=batch_size,
        num_workers=0,
        drop_last=True,
        collate_fn=dict(type="default_collate"),
        sampler=dict(type="mmreid_ext.DomainPKSampler", num_instances=2),
        dataset=dict(type="mmreid_ext.TinyReID"),
    )
    plain = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=3)
    epochs = dict(type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=2)
    by_epoch = dict(checkpoint=dict(type="CheckpointHook", by_epoch=True, interval=1))
    three = dict(meta_train=("ce", "scatter"), meta_test=("ce", "xbm", "center"))
    return {
        "unused meta": dict(loop=dict(loss_sets=dict(three, base=("triplet",)))),
        "unused plain": dict(train_dataloader=loader, train_cfg=plain),
        "styles meta": dict(loop=dict(loss_sets=dict(three, base=("ce", "xbm", "center")))),
        "styles plain": dict(train_dataloader=loader, train_cfg=plain),
        "random meta": {},
        "random epochs": dict(train_dataloader=loader, train_cfg=epochs, default_hooks=by_epoch),
        "unused epochs": dict(
            train_dataloader=loader, train_cfg=epochs | dict(max_epochs=1), default_hooks=by_epoch
        ),
        "seeds by rank": dict(randomness=dict(seed=3, diff_rank_seed=True)),
    }[kind]


ALL = [
    "unused meta",
    "unused plain",
    "unused epochs",
    "styles meta",
    "styles plain",
    "random meta",
    "random epochs",
    "seeds by rank",
]


def train(kind, world_size, folder, **changes):
    enable_safe_checkpoints()
    runner = tiny_runner(
        folder,
        batch_size=GLOBAL_BATCH // world_size,
        model=model_of(kind),
        launcher="pytorch" if world_size > 1 else "none",
        **settings_of(kind, GLOBAL_BATCH // world_size),
        **changes,
    )
    runner.train()
    model = getattr(runner.model, "module", runner.model)
    return {name: value.double() for name, value in model.state_dict().items()}


def train_all(rank, world_size):
    results = {}
    for kind in ALL:
        with tempfile.TemporaryDirectory() as folder:
            results[kind] = train(kind, world_size, folder)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(training_steps, "positions_of", lambda sampler: None)
        results["broken"] = train("styles plain", world_size, folder)
    return results


def largest_difference(a, b):
    return max((a[name] - b[name]).abs().max().item() for name in a)


@pytest.mark.slow
def test_two_ranks_equal_one():
    first, second = run_distributed(train_all, 2, timeout=300)
    one = train_all(0, 1)
    for kind in ALL:
        for two in (first, second):
            # XBM's memory is float32: rounding grows to about 1e-8.
            assert largest_difference(one[kind], two[kind]) < 1e-6, kind
    assert largest_difference(one["styles plain"], first["broken"]) > 1e-4
    assert one["styles meta"]["head.losses.xbm.steps"] == 4  # of three iterations, the first two
    assert one["styles meta"]["backbone.layer1.MixStyle.steps"] == 4


@pytest.mark.parametrize("kind", ["random meta", "random epochs", "styles meta"])
def test_resumed_run_equals_an_uninterrupted_one(tmp_path, kind):
    by_epoch = kind == "random epochs"
    hooks = dict(checkpoint=dict(type="CheckpointHook", by_epoch=by_epoch, interval=1))
    whole = train_with(kind, tmp_path, hooks)
    first = tmp_path / ("epoch_1.pth" if by_epoch else "iter_1.pth")
    torch.rand(7)  # what else happened in the process
    resumed = train_with(kind, tmp_path, hooks, resume=True, load_from=str(first))
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def train_with(kind, folder, hooks, **changes):
    settings = settings_of(kind, GLOBAL_BATCH) | dict(default_hooks=hooks)
    runner = tiny_runner(folder, model=model_of(kind), **settings, **changes)
    runner.train()
    return runner.model.state_dict()


@pytest.mark.parametrize(
    ("layer_cfgs", "world_size", "said"),
    [(dict(attn_drop_rate=0.1), 2, 1), (dict(attn_drop_rate=0.1), 1, 0), ({}, 2, 0)],
)
def test_layers_that_draw_for_their_rank_are_said_at_start(
    monkeypatch, layer_cfgs, world_size, said
):
    texts = []
    monkeypatch.setattr(training_steps, "print_log", lambda text, **_: texts.append(text))
    vit = dict(type="mmpretrain.VisionTransformer", arch="deit-tiny", img_size=32, patch_size=16)
    model = MODELS.build(vit | dict(layer_cfgs=layer_cfgs))
    training_steps.say_what_is_not_exact(model, world_size)
    assert len(texts) == said and all("layers.0.attn" in text for text in texts)


@pytest.mark.parametrize("drawing", ["drop_path", "dropout", "MixStyle", None])
@pytest.mark.parametrize("kind", ["DefaultSampler", "InfiniteSampler", "PKSampler"])
def test_samplers_that_tell_no_places_are_said_at_start(monkeypatch, kind, drawing):
    texts = []
    monkeypatch.setattr(training_steps, "print_log", lambda text, **_: texts.append(text))
    layers = dict(drop_path=BatchDropPath(0.1), dropout=BatchDropout(0.1), MixStyle=MixStyle())
    model = nn.Sequential(BatchDropPath(0.0), layers.get(drawing, nn.Identity()))
    settings = dict(batch_size=4) if kind == "PKSampler" else {}
    scope = "mmreid_ext" if kind == "PKSampler" else "mmengine"
    sampler = DATA_SAMPLERS.build(dict(type=f"{scope}.{kind}", dataset=TinyReID(), **settings))
    training_steps.say_where_order_is_unknown(model, sampler, 1)
    assert not texts
    training_steps.say_where_order_is_unknown(model, sampler, 2)
    assert len(texts) == (drawing is not None and kind != "PKSampler")
    assert all(f"{kind} does not tell" in text and " 1 layers draw" in text for text in texts)


class Wrapper:
    """What the trial step asks of a distributed wrapper."""

    find_unused_parameters = static_graph = False
    broadcast_buffers = False

    def __init__(self, module, find_unused_parameters, broadcast_buffers):
        self.module, self.find_unused_parameters = module, find_unused_parameters


@pytest.mark.parametrize(("here", "there"), [(0, 0), (0, 1), (1, 0)])
def test_ranks_agree_on_looking_for_unused_weights(monkeypatch, here, there):
    batch = dict(inputs=[torch.zeros(1)])

    def trial(runner, module, data_batch):
        data_batch["inputs"].append("changed in place")
        return ["weight"] * here

    monkeypatch.setattr(training_steps, "DistributedDataParallel", Wrapper)
    monkeypatch.setattr(training_steps, "_unused_weights", trial)
    monkeypatch.setattr(training_steps, "any_rank", lambda found: found | bool(there))
    runner = SimpleNamespace(model=Wrapper(nn.Linear(1, 1), False, False))
    training_steps.allow_unused_weights(runner, batch)
    assert runner.model.find_unused_parameters == bool(here or there)
    assert len(batch["inputs"]) == 1
