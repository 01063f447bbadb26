"""``--grid``: short keys, values, combinations, folders."""

import pytest

from mmreid_ext.cli.experiments.grid import Setting, read_grid, split_values, whole_key
from mmreid_ext.errors import UserError

CFG = dict(
    gate_lr=5,  # a variable of the file, which nothing reads
    train_cfg=dict(gate_lr=0.2, max_iters=9),
    optim_wrapper=dict(optimizer=dict(lr=0.1)),
    param_scheduler=[dict(end=3), dict(end=9, milestones=[4, 5])],
    train_dataloader=dict(batch_size=4),
    test_dataloader=dict(batch_size=8),
)


@pytest.mark.parametrize(
    "name, key",
    [
        ("gate_lr", "train_cfg.gate_lr"),
        ("lr", "optim_wrapper.optimizer.lr"),
        ("optimizer.lr", "optim_wrapper.optimizer.lr"),
        ("milestones", "param_scheduler.1.milestones"),
        ("train_cfg.not_set_yet", "train_cfg.not_set_yet"),
        ("1.end", "param_scheduler.1.end"),
    ],
)
def test_a_short_key(name, key):
    assert whole_key(name, CFG) == key


@pytest.mark.parametrize(
    "name, text",
    [
        ("gate_lrr", r"no key .* ends so \(did you mean 'gate_lr'\?\).*whole key"),
        ("batch_size", r"train_dataloader.batch_size \(now 4\); test_dataloader.batch_size"),
        ("r", "no key of the configuration ends so"),
    ],
)
def test_a_key_that_is_none_or_several(name, text):
    with pytest.raises(UserError, match=text):
        whole_key(name, CFG)


def test_commas_in_brackets_and_quotes_belong_to_a_value():
    assert split_values("1, 2") == ["1", "2"]
    assert split_values("[1,2],[3]") == ["[1,2]", "[3]"]
    assert split_values("dict(a=1,b=(2,3)),'x,y'") == ["dict(a=1,b=(2,3))", "'x,y'"]


def test_every_combination_once_and_in_order():
    settings = read_grid(["lr=0.10,1e-3", "gate_lr=1,2"], CFG)
    assert [setting.name for setting in settings] == [
        "lr=0.1, gate_lr=1", "lr=0.1, gate_lr=2", "lr=0.001, gate_lr=1", "lr=0.001, gate_lr=2",
    ]  # fmt: skip
    assert settings[1].options == ("optim_wrapper.optimizer.lr=0.10", "train_cfg.gate_lr=2")
    assert read_grid([], CFG) == [Setting()]


def test_the_folder_depends_on_the_setting_alone():
    first = read_grid(["lr=0.10", "gate_lr=1"], CFG)[0].folder
    second = read_grid(["train_cfg.gate_lr=1", "optimizer.lr=0.1"], CFG)[0].folder
    assert first == second == "gate_lr=1,lr=0.1"


def test_folders_of_signs_that_a_name_cannot_hold_differ():
    folders = [s.folder for s in read_grid(["milestones=[1,2],[1,3],'a/b','a b'"], CFG)]
    assert len(set(folders)) == 4 and not any("/" in folder for folder in folders)
    (long,) = read_grid([f"lr={'x' * 300}"], CFG)
    assert len(long.folder) < 255


@pytest.mark.parametrize(
    "items, text",
    [
        (["lr"], "--grid lr: it has the form KEY=VALUE"),
        (["lr="], "it has the form"),
        (["lr=1,"], "a value is empty"),
        (["lr=0.1,0.10"], "the value 0.1 stands there twice"),
        (["lr=1", "optimizer.lr=2"], "optim_wrapper.optimizer.lr is given twice"),
        (["lr=dict(x)"], "can't be read"),
    ],
)
def test_what_cannot_be_tried_is_said(items, text):
    with pytest.raises(UserError, match=text):
        read_grid(items, CFG)


def test_keys_with_the_same_end_are_written_whole():
    (setting,) = read_grid(["0.end=1", "1.end=2"], CFG)
    assert setting.name == "param_scheduler.0.end=1, param_scheduler.1.end=2"
