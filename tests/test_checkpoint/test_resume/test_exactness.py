"""A run continues exactly, or it is refused with the name of what differs."""

import warnings

import pytest
import torch
from helpers.interrupted_run import (
    AT,
    CHANGES,
    OtherNet,
    linear,
    resume,
)
from helpers.tiny_loops import ITERS, ScoreByHeart, make_runner
from helpers.tiny_reid import tiny_runner
from mmengine.config import Config

from mmreid_ext.checkpoint import safe_load, to_plain
from mmreid_ext.checkpoint.resume.run_record import KEY, flatten
from mmreid_ext.errors import UserError

PLATEAU = {
    "interval": (
        dict(train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=ITERS, val_interval=3)),
        r"train_cfg\.val_interval was 2, is 3",
    ),
    "patience": (
        dict(
            param_scheduler=[
                linear()["param_scheduler"][0],
                dict(type="ReduceOnPlateauLR", monitor="score", rule="greater", patience=1),
            ]
        ),
        r"param_scheduler\.1\.patience was 0, is 1",
    ),
    "length, after a validation at the former end": (
        dict(train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=9, val_interval=2)),
        r"validation at the end of the shorter run \(5\)",
    ),
}


GATES = dict(
    gate_lr=0.5,
    inner_ratio=dict(low=0.05, high=0.2, period=4),
    num_train_domains=1,
    loss_sets="multi_source",
    straight_through=False,
    second_order=True,
    first_base_steps=3,
)


@pytest.mark.parametrize("name", CHANGES)
def test_changed_setting_is_refused_with_its_name(tmp_path, folder, name):
    settings, message = CHANGES[name]
    with pytest.raises(UserError, match=message) as error:
        resume(tmp_path, folder / f"iter_{AT}.pth", **settings)
    assert "load_from" in str(error.value) or "train_cfg.max_iters" in str(error.value)


@pytest.mark.parametrize("name", PLATEAU)
def test_changed_setting_is_refused_where_a_schedule_reads_validations(tmp_path, monkeypatch, name):
    settings, message = PLATEAU[name]
    monkeypatch.setattr(ScoreByHeart, "SCORES", (0.0, 5.0, 4.0, 3.0, 2.0, 1.0))  # always better
    run = dict(plateau=True, save_best=True)
    hook = dict(type="CheckpointHook", by_epoch=False, interval=1, save_best="score", rule="less")
    hooks = dict(default_hooks=dict(checkpoint=hook))
    make_runner(tmp_path / "a", **run, **hooks).train()
    with pytest.raises(UserError, match=message):
        file = tmp_path / "a" / f"iter_{ITERS}.pth"
        resume(tmp_path / "b", file, **(run | hooks | settings))


def test_another_network_is_refused(tmp_path, folder):
    with pytest.raises(UserError, match=r"another model: more\.weight is missing"):
        resume(tmp_path, folder / f"iter_{AT}.pth", model=OtherNet())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        dict(train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=8, val_interval=3)),
        dict(randomness=dict(seed=None)),
        linear(end=3),
    ],
)
def test_what_changes_nothing_is_accepted(tmp_path, folder, settings):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="resume")
        runner = resume(tmp_path, folder / f"iter_{AT}.pth", **settings)
    assert runner.iter == settings.get("train_cfg", {}).get("max_iters", ITERS)


def test_changed_settings_of_the_gates_are_refused(tmp_path):
    save_all = dict(checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1))
    tiny_runner(tmp_path, max_iters=1, default_hooks=save_all).train()
    for name, value in GATES.items():
        runner = tiny_runner(tmp_path, max_iters=2, loop={name: value}, resume=True)
        with pytest.raises(UserError, match=rf"train_cfg\.{name}.* was .*, is ") as error:
            runner.load_or_resume()
        assert "optim" not in str(error.value) and "train_dataloader" not in str(error.value)


@pytest.mark.parametrize("had, has", [(False, True), (True, False)])
def test_averaging_is_neither_begun_nor_dropped(tmp_path, had, has):
    hook = [dict(type="EMAHook")]
    make_runner(tmp_path / "a", custom_hooks=hook if had else None).train()
    message = "EMAHook" if had else "holds no ema_state_dict"
    with pytest.raises(UserError, match=message):
        resume(tmp_path / "b", tmp_path / "a" / "iter_2.pth", custom_hooks=hook if has else None)


def test_gradients_that_were_being_collected_can_not_be_resumed(tmp_path):
    wrapper = dict(optimizer=dict(type="Adam", lr=0.01), accumulative_counts=2)
    make_runner(tmp_path / "a", optim_wrapper=wrapper).train()
    with pytest.raises(UserError, match=r"between two steps .*accumulative_counts=2"):
        resume(tmp_path / "b", tmp_path / "a" / "iter_3.pth", optim_wrapper=wrapper)
    assert resume(tmp_path / "c", tmp_path / "a" / "iter_2.pth", optim_wrapper=wrapper)


def test_changed_settings_of_the_network_are_told(tmp_path, folder):
    file = tmp_path / "before.pth"
    checkpoint = safe_load(folder / f"iter_{AT}.pth")
    checkpoint["meta"][KEY]["reported"] = flatten(dict(model=dict(type="TinyNet", margin=0.3)))
    torch.save(to_plain(checkpoint), file)
    cfg = Config(dict(model=dict(type="TinyNet", margin=0.5, init_cfg=dict(checkpoint="a"))))
    with pytest.warns(UserWarning, match=r"model\.margin was 0.3, is 0.5"):
        resume(tmp_path / "run", file, cfg=cfg)
