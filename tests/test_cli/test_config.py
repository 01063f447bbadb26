"""How the command lines read a configuration: options, keys that nobody reads, mistakes."""

import argparse
import inspect
import warnings

import pytest
from helpers.paths import CONFIGS

from mmreid_ext.cli.config import add_launch_arguments, load_config
from mmreid_ext.cli.config_keys import READ, RUNNER_KEYS
from mmreid_ext.cli.config_options import ConfigOptions
from mmreid_ext.errors import UserError

TEXT = """
max_iters = 100
milestones = [40, 70]
model = dict(type="A", head=dict(num_classes=3))
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1))
param_scheduler = [dict(type="MultiStepLR", milestones=milestones)]
train_cfg = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=max_iters)
env_cfg = dict(dist_cfg=dict(backend="nccl"))
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "base.py").write_text(TEXT)
    return tmp_path / "base.py"


def load(path, *arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    add_launch_arguments(parser)
    return load_config(parser.parse_args([str(path), *arguments]))


def test_the_keys_of_the_runner_are_known():
    from mmengine.runner import Runner

    assert set(inspect.signature(Runner).parameters) - {"cfg"} == RUNNER_KEYS


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.py")), ids=lambda path: path.stem)
def test_ours_pass_without_a_word(config):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        load(config)


@pytest.mark.parametrize(
    "text, value",
    [
        ("dict(a=1, b=[2, 3], c=dict(d='e'))", dict(a=1, b=[2, 3], c=dict(d="e"))),
        ("{'a': 1, 'b': None}", dict(a=1, b=None)),
        ("[dict(type='X'), dict(type='Y')]", [dict(type="X"), dict(type="Y")]),
        ("[a,b]", ["a", "b"]),
        ("1e-3", 1e-3),
        ("True", True),
        ("(16,32)", (16, 32)),
        ("plain", "plain"),
    ],
)
def test_values_of_options(path, text, value):
    assert ConfigOptions.read(text) == value
    head = load(path, "--cfg-options", f"model.head.new={text}").model.head
    assert head.new == value


@pytest.mark.parametrize(
    "item", ["novalue", "=3", "a={b:c", "a=dict(b)", "a={x}", "a=dict(b=f(1))", "a=[1,(2]"]
)
def test_unreadable_options_are_errors_of_usage(path, item, capsys):
    with pytest.raises(SystemExit) as caught:
        load(path, "--cfg-options", item)
    assert caught.value.code == 2
    assert item in capsys.readouterr().err


@pytest.mark.parametrize(
    "option, message",
    [
        ("optim_wraper.optimizer.lr=1", "nothing reads 'optim_wraper'.*'optim_wrapper'"),
        ("optim_wrapper.optimzer.lr=1", "optim_wrapper has no 'optimzer'.*'optimizer'"),
        ("max_iterz=3", "nothing reads 'max_iterz'.*'max_iters'"),
        ("max_iters=3", "'max_iters' is a variable of base.py.* set train_cfg.max_iters"),
        ("milestones=[3]", "'milestones' is a variable"),
        ("resum=True", "nothing reads 'resum'.*'resume'"),
        ("randomness.sead=3", "nothing reads randomness.sead.*'seed'.* takes seed, diff"),
        ("env_cfg.cudnn_benchmrk=True", "env_cfg.cudnn_benchmrk.*'cudnn_benchmark'"),
        ("auto_scale_lr.enabled=True", "auto_scale_lr.enabled.*'enable'"),
        ("train_cfg.max_iters.x=3", "--cfg-options train_cfg.max_iters.x"),
        ("param_scheduler.7.gamma=3", "--cfg-options param_scheduler.7.gamma"),
    ],
)
def test_options_without_effect_are_refused(path, option, message):
    with pytest.raises(UserError, match=message):
        load(path, "--cfg-options", option)


@pytest.mark.parametrize("option", ["train_cfg.val_interval=2", "model.backbone.init_cfg.type=a"])
def test_new_settings_can_be_made(path, option):
    load(path, "--cfg-options", option)


@pytest.mark.parametrize("key", ["optim_wraper", "train_dataloder", "load_form", "custom_hook"])
def test_misspelt_keys_of_a_file_are_refused(path, key):
    path.write_text(f"{TEXT}\n{key} = dict(a=1)\n")
    with pytest.raises(UserError, match=f"base.py: nothing reads '{key}' .did you mean"):
        load(path)
    assert key not in READ


def test_a_variable_that_came_too_late_is_warned_of(path, tmp_path):
    (tmp_path / "mine.py").write_text("_base_ = 'base.py'\nmax_iters = 5\n")
    with pytest.warns(UserWarning, match="max_iters=5 has no effect, train_cfg.max_iters is 100"):
        load(tmp_path / "mine.py")


@pytest.mark.parametrize(
    "name, text",
    [
        ("a.py", "model = dict(\n"),
        ("a.py", "model = nothing\n"),
        ("a.py", "_base_ = 'gone.py'\n"),
        ("a.py", "_base_ = 'base.py'\nmodel = 3\nx = _base_.y\n"),
        ("a.py", "_base_ = ['base.py', 'base.py']\n"),
        ("a.py", "custom_imports = dict(imports=['no_such_module'], allow_failed_imports=False)"),
        ("a.py", "a = {{$NO_SUCH_VARIABLE}}\n"),
        ("a.json", '{"a": 1'),
        ("a.yaml", "a: [1\n"),
        ("a.txt", "a = 1"),
    ],
)
def test_files_that_cannot_be_read(path, name, text):
    file = path.with_name(name)
    file.write_text(text)
    with pytest.raises(UserError, match=f"{name} can't be read"):
        load(file)


@pytest.mark.parametrize("below", ["", "/logs"])
def test_a_file_is_no_work_folder(path, tmp_path, below):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(UserError, match="--work-dir .*taken.* is a file, not a folder"):
        load(path, "--work-dir", f"{tmp_path}/taken{below}")
