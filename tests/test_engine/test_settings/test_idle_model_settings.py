"""Settings of model, losses and sampler that lie idle are said; nothing is said of others."""

from types import SimpleNamespace

import pytest
from helpers.tiny_reid import LOSSES, tiny_model
from mmengine.config import ConfigDict

from mmreid_ext.engine.settings import idle_model_settings as module
from mmreid_ext.engine.settings.idle_model_settings import check_meta_losses, check_model
from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS

MEMORY = dict(
    type="mmreid_ext.CrossBatchMemory",
    loss=dict(type="mmreid_ext.ContrastiveLoss"),
    memory_size=8,
    feat_dim=16,
    start_iter=9,
)


@pytest.fixture
def warned(monkeypatch):
    texts = []
    monkeypatch.setattr(module, "print_log", lambda text, **_: texts.append(text))
    return texts


@pytest.fixture(scope="module")
def model():
    return MODELS.build(tiny_model("mmreid_ext.SyncBN", losses=LOSSES | dict(memory=MEMORY)))


@pytest.fixture(scope="module")
def model_with_gates():
    return MODELS.build(tiny_model())


def runner_of(model, cfg=(), load_from=None, **optim_wrapper):
    return SimpleNamespace(
        model=model,
        cfg=ConfigDict(cfg),
        optim_wrapper=optim_wrapper,
        _load_from=load_from,
        _resume=False,
    )


def loader(num_instances=2):
    return dict(sampler=dict(num_instances=num_instances))


def test_settings_that_agree_cause_no_word(model, model_with_gates, warned):
    check_model(runner_of(model), loader(), 10, False)
    check_model(runner_of(model), loader(), None, False)  # the length in iterations isn't known
    check_model(runner_of(model_with_gates), loader(), 10, True)
    settings = dict(bias_lr_mult=2, custom_keys=dict(head=dict(lr_mult=2)))
    check_model(runner_of(model, paramwise_cfg=settings), loader(), 10, False)
    assert warned == []


def test_gates_that_nobody_trains(model_with_gates, warned):
    check_model(runner_of(model_with_gates), loader(), 10, False)
    assert "train_gates=False" in warned[0] and "no gate is ever trained" in warned[0]


def test_memory_that_is_never_used(model, warned):
    check_model(runner_of(model), loader(), 9, False)
    assert "losses.memory.start_iter=9 lies behind train_cfg.max_iters=9" in warned[0]


def test_keys_that_no_parameter_has(model, warned):
    settings = dict(custom_keys=dict(bakbone=dict(lr_mult=0.1)))
    check_model(runner_of(model, paramwise_cfg=settings), loader(), 10, False)
    assert "no parameter is called like 'bakbone'" in warned[0]


def test_options_that_nothing_reads(model):
    runner = runner_of(model, paramwise_cfg=dict(bias_lr_mlt=2))
    with pytest.raises(UserError, match="nothing reads bias_lr_mlt"):
        check_model(runner, loader(), 10, False)
    runner.optim_wrapper["constructor"] = "OfTheUser"  # which may read anything
    check_model(runner, loader(), 10, False)


def test_one_image_of_a_person(model, warned):
    check_model(runner_of(model), loader(1), 10, False)
    assert "num_instances=1: " in warned[0] and "triplet of model.head.losses need two" in warned[0]


def test_random_weights_that_are_frozen(model, warned):
    for told in (dict(init_cfg=dict(type="Pretrained")), dict(pretrained="x"), {}):
        cfg = dict(model=dict(backbone=dict(frozen_stages=1, **told)))
        check_model(runner_of(model, cfg), loader(), 10, False)
        check_model(runner_of(model, cfg, load_from="file.pth"), loader(), 10, False)
    assert len(warned) == 1
    assert "frozen_stages=1" in warned[0] and "random weights are frozen" in warned[0]


def test_two_preprocessors(model, warned):
    same = dict(mean=[1])
    for inner in (same, dict(mean=[2])):
        cfg = dict(data_preprocessor=same, model=dict(data_preprocessor=inner))
        check_model(runner_of(model, cfg), loader(), 10, False)
    assert len(warned) == 1 and "data_preprocessor has no effect" in warned[0]


def test_losses_that_metabin_passes_over(warned):
    losses = dict.fromkeys((*LOSSES, "contrast"), {})
    cfg = dict(model=dict(head=dict(losses=losses, train_losses=["ce"])))
    stages = [("ce", "triplet"), ("scatter",), ("shuffle",)]
    check_meta_losses(runner_of(None, cfg), stages)
    assert "train_losses=['ce'] has no effect" in warned[0]
    assert "['contrast'] are in no stage" in warned[1]
    check_meta_losses(runner_of(None, {}), stages)
    assert len(warned) == 2
