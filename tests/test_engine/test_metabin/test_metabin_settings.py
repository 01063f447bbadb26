"""Every setting of MetaBIN is checked before the data set is built."""

import copy

import pytest
import torch
from helpers.tiny_reid import LOSSES as LOSSES_OF_HEAD
from helpers.tiny_reid import TinyReID, tiny_model, tiny_runner
from mmengine.dataset import pseudo_collate

from mmreid_ext.engine import MetaBINTrainLoop, meta_update_gates
from mmreid_ext.engine.metabin.loss_sets import LossSets
from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.registry import DATASETS

LOSSES = dict(base=("ce",), meta_train=("ce",), meta_test=("ce",))
BUILT = []


@DATASETS.register_module()
class NotedReID(TinyReID):
    """Notes that it was built; one domain on demand."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        BUILT.append(self)


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """One for all settings of the loop: a loop that is refused leaves nothing in its runner."""
    return runner_of(tiny_model(), tmp_path_factory.mktemp("settings"))


def runner_of(model, folder):
    return tiny_runner(folder, dataset="mmreid_ext.NotedReID", model=model)


def loop(runner, **settings):
    BUILT.clear()
    settings = copy.deepcopy({**runner._train_loop, **settings})
    assert settings.pop("type") == "mmreid_ext.MetaBINTrainLoop"
    return MetaBINTrainLoop(runner, runner._train_dataloader, **settings)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        (dict(first_base_steps=0), UserError, "first_base_steps=0 must be at least 1"),
        (dict(first_base_steps=-3), UserError, "first_base_steps=-3 must be"),
        (dict(first_base_steps=2.5), UserTypeError, "first_base_steps=2.5 must be an integer"),
        (dict(first_base_steps=True), UserTypeError, "first_base_steps=True"),
        (dict(gate_lr=-1), UserError, "gate_lr=-1, it must be finite and at least 0"),
        (dict(gate_lr=float("nan")), UserError, "gate_lr=nan"),
        (dict(gate_lr=float("inf")), UserError, "gate_lr=inf"),
        (dict(gate_lr=10**400), UserError, "gate_lr=1000"),
        (dict(gate_lr="0.2"), UserTypeError, "gate_lr='0.2' must be a number"),
        (dict(gate_lr=None), UserTypeError, "gate_lr=None must be a number"),
        (dict(num_train_domains=0), UserError, "num_train_domains=0 must be at least 1"),
        (dict(num_train_domains=1.5), UserTypeError, "num_train_domains=1.5 must be an integer"),
        (dict(straight_through="no"), UserTypeError, "straight_through='no' must be True or"),
        (dict(second_order=1), UserTypeError, "second_order=1 must be True or False"),
        (dict(inner_ratio=0.1), UserTypeError, "inner_ratio=0.1 must be a dict"),
        (dict(inner_ratio=dict(perod=4)), UserError, "key 'perod' .did you mean 'period'.*low, hi"),
        (dict(inner_ratio=dict(period=1)), UserError, "whole period >= 2"),
        (dict(inner_ratio=dict(period=7.5)), UserError, "whole period >= 2"),
        (dict(inner_ratio=dict(low=-0.1)), UserError, "0 <= low <= high"),
        (dict(inner_ratio=dict(low=0.2)), UserError, "0 <= low <= high"),
        (dict(inner_ratio=dict(high=float("inf"))), UserError, "high < inf"),
        (dict(inner_ratio=dict(low="0.1")), UserTypeError, "low, high and period must be num"),
        (dict(loss_sets="single-source"), UserError, "got 'single-source' .*mean 'single_source'"),
        (dict(loss_sets=None), UserTypeError, "loss_sets=None must be one of single_source"),
        (dict(loss_sets=dict(base=("ce",))), UserError, "needs the keys base, meta_train, meta_t"),
        (dict(loss_sets=dict(LOSSES, base="ce")), UserTypeError, "loss_sets.base='ce' must be a"),
        (dict(loss_sets=dict(LOSSES, meta_test=())), UserError, "loss_sets.meta_test is empty"),
        (dict(loss_sets=dict(LOSSES, base=["c"])), UserError, "loss_sets.base: Unknown loss c; "),
        (
            dict(loss_sets=dict(LOSSES, base=[1])),
            UserTypeError,
            r"loss_sets.base=\[1\]: names must",
        ),
        (dict(loss_sets=dict(LOSSES, base=["ce"] * 2)), UserError, "names a loss twice"),
        (dict(loss_sets=LossSets((), ("ce",), ("ce",))), UserError, "loss_sets.base is empty"),
        (dict(gatelr=0.1), UserTypeError, "takes no 'gatelr' .did you mean 'gate_lr'"),
        (dict(meta_loader={}), UserTypeError, "takes no 'meta_loader'.*; it takes .*val_interval"),
        (
            dict(meta_dataloader=dict(batch_size=8, sampler=dict(type="mmreid_ext.DomainPK"))),
            UserError,
            "meta_dataloader.sampler: type='mmreid_ext.DomainPK' is no .*DomainPKSampler",
        ),
        (dict(meta_dataloader=None), UserTypeError, "meta_dataloader=None, .*DomainPKSampler"),
        (dict(meta_dataloader={}), UserError, "meta_dataloader has no batch_size and no sampler"),
        (dict(meta_dataloader=dict(batch_size=8)), UserError, "meta_dataloader has no sampler"),
        (
            dict(meta_dataloader=dict(batch_size=8, sampler=dict(type="mmreid_ext.PKSampler"))),
            UserError,
            "sampler=PKSampler does not put every domain .*DomainPKSampler",
        ),
        (
            dict(meta_dataloader=dict(batch_size=8, sampler=dict(type="DefaultSampler"))),
            UserError,
            "sampler=DefaultSampler does not",
        ),
    ],
)
def test_settings_are_checked_before_data_are_read(runner, settings, kind, message):
    with pytest.raises(kind, match=message):
        loop(runner, **settings)
    assert not BUILT


def backbone(**changes):
    model = tiny_model()
    return model | dict(backbone=model["backbone"] | changes)


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        (backbone(with_cp=True), {}, "with_cp=True in backbone.*set model.backbone.with_cp=False"),
        (backbone(frozen_stages=2), {}, "all .* layers with gates are frozen; lower"),
        (tiny_model("mmreid_ext.SyncBN"), {}, r"norm_cfg=dict\(type='mmreid_ext.BIN'\)"),
        (tiny_model() | dict(train_gates=True), {}, "set the model's train_gates=False"),
        (
            tiny_model() | dict(compile_backbone=True),
            dict(second_order=True),
            "second_order=True needs model.compile_backbone=False",
        ),
    ],
    ids=["with_cp", "all frozen", "no gates", "trained gates", "compiled"],
)
def test_models_are_checked_before_data_are_read(tmp_path, model, settings, message):
    with pytest.raises(UserError, match=message):
        loop(runner_of(model, tmp_path), **settings)
    assert not BUILT


def test_domains_are_counted_before_processes_start(runner):
    with pytest.raises(UserError, match="needs at least 2 domains"):
        loop(runner, meta_dataloader=meta_loader(num_domains=1, num_ids=16))


def meta_loader(**dataset):
    return dict(
        batch_size=8,
        sampler=dict(type="mmreid_ext.DomainPKSampler", num_instances=2),
        collate_fn=dict(type="default_collate"),
        dataset=dict(type="mmreid_ext.NotedReID", **dataset),
    )


CENTER = dict(type="mmreid_ext.CenterLoss", num_classes=16, feat_dim=16)
XBM = dict(
    type="mmreid_ext.CrossBatchMemory",
    loss=dict(type="mmreid_ext.ContrastiveLoss"),
    memory_size=40,
    feat_dim=16,
)


@pytest.fixture(scope="module")
def runner_with_memory(tmp_path_factory):
    losses = LOSSES_OF_HEAD | dict(center=CENTER, xbm=XBM)
    return runner_of(tiny_model(losses=losses), tmp_path_factory.mktemp("memory"))


@pytest.mark.parametrize("num_ids", [2, 5])
@pytest.mark.parametrize("name", ["ce", "center", "xbm"])
@pytest.mark.parametrize("stage", ["meta_train", "meta_test"])
def test_other_people_in_meta_batches_need_losses_that_compare_images(
    runner_with_memory, num_ids, name, stage
):
    runner = runner_with_memory
    compares = dict(base=("ce",), meta_train=("triplet", "scatter"), meta_test=("shuffle",))
    meta = meta_loader(num_ids=num_ids)
    with pytest.raises(UserError, match=f"has {4 * num_ids} identities.* 16 classes, and {name} "):
        loop(runner, meta_dataloader=meta, loss_sets=compares | {stage: (name,)})
    assert loop(runner, meta_dataloader=meta, loss_sets=compares)
    assert loop(runner, meta_dataloader=meta_loader(), loss_sets=compares | {stage: (name,)})


@pytest.mark.parametrize("stages", [0, 1])
def test_gates_of_frozen_stages_stay(tmp_path, stages):
    runner = tiny_runner(tmp_path, model=backbone(frozen_stages=stages), loop=dict(gate_lr=5.0))
    before = copy.deepcopy(runner.model.state_dict())
    runner.train()
    moved = {
        name
        for name, value in runner.model.state_dict().items()
        if name.endswith("gate") and not torch.equal(value, before[name])
    }
    free = [f"backbone.layer{stage}" for stage in range(stages + 1, 3)]
    assert {name.rpartition(".")[0][: len(free[0])] for name in moved} == set(free)


def test_meta_passes_leave_memories_counts_and_centres_alone(tmp_path):
    losses = LOSSES_OF_HEAD | dict(center=CENTER, xbm=XBM | dict(start_iter=0))
    model = tiny_model(losses=losses)
    model["stage_plugins"] = dict(layer1=dict(type="mmreid_ext.MixStyle", prob=1.0))
    everything = dict.fromkeys(LossSets._fields, tuple(losses))
    runner = tiny_runner(tmp_path, model=model, loop=dict(loss_sets=everything))
    runner.train()
    assert int(runner.model.head.losses["xbm"].steps) == 4  # of 3 iterations, the first has two
    assert int(runner.model.backbone.layer1.MixStyle.steps) == 4
    before = copy.deepcopy(runner.model.state_dict())
    grads = {name: p.grad for name, p in runner.model.named_parameters() if p.grad is not None}
    dataset = runner.train_loop.dataloader.dataset
    batch = pseudo_collate([dataset[i] for i in range(0, len(dataset), 2)])
    log = meta_update_gates(
        runner.model.train(),
        torch.stack(batch["inputs"]),
        batch["data_samples"],
        train_domains=(0, 1),
        inner_lr=0.1,
        gate_lr=0.5,
        loss_sets=LossSets(**everything),
    )
    assert log["meta_skipped"] == 0 and log["meta_test/loss_xbm_memory"] > 0
    after = runner.model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved and all(name.endswith(".gate") for name in moved)
    for name, parameter in runner.model.named_parameters():
        assert parameter.grad is grads.get(name)
