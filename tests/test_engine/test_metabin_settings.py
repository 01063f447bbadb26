"""Every setting of MetaBIN is checked before the data set is built."""

import copy

import pytest
import torch
from helpers.tiny_reid import TinyReID, tiny_model, tiny_runner

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


def loop(tmp_path, model=None, **settings):
    BUILT.clear()
    runner = tiny_runner(
        tmp_path, dataset="mmreid_ext.NotedReID", loop=settings, model=model or tiny_model()
    )
    return runner.train_loop


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
def test_settings_are_checked_before_data_are_read(tmp_path, settings, kind, message):
    with pytest.raises(kind, match=message):
        loop(tmp_path, **settings)
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
        loop(tmp_path, model=model, **settings)
    assert not BUILT


def test_domains_are_counted_before_processes_start(tmp_path):
    single = dict(type="mmreid_ext.NotedReID", num_domains=1, num_ids=16)
    meta = dict(
        batch_size=8,
        sampler=dict(type="mmreid_ext.DomainPKSampler", num_instances=2),
        collate_fn=dict(type="default_collate"),
        dataset=single,
    )
    with pytest.raises(UserError, match="needs at least 2 domains"):
        loop(tmp_path, meta_dataloader=meta)


def test_gates_of_frozen_stages_stay(tmp_path):
    runner = tiny_runner(tmp_path, model=backbone(frozen_stages=1), loop=dict(gate_lr=5.0))
    before = copy.deepcopy(runner.model.state_dict())
    runner.train()
    moved = {
        name
        for name, value in runner.model.state_dict().items()
        if name.endswith("gate") and not torch.equal(value, before[name])
    }
    assert moved and all(name.startswith("backbone.layer2") for name in moved)
