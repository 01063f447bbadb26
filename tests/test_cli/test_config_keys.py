"""Keys that nobody reads are found in files and options."""

import inspect
import warnings

import pytest
from helpers.configuration_file import TEXT, load
from helpers.paths import CONFIGS

from mmreid_ext.cli.config_keys import READ, RUNNER_KEYS
from mmreid_ext.errors import UserError


def test_the_keys_of_the_runner_are_known():
    from mmengine.runner import Runner

    assert set(inspect.signature(Runner).parameters) - {"cfg"} == RUNNER_KEYS


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.py")), ids=lambda path: path.stem)
def test_ours_pass_without_a_word(config):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        load(config)


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
        ("env_cfg.dist_cfg.timeuot=1800", "env_cfg.dist_cfg.timeuot.*'timeout'"),
        ("env_cfg.cudnn_benchmrk=True", "env_cfg.cudnn_benchmrk.*'cudnn_benchmark'"),
        ("custom_imports.impports=[mine]", "custom_imports.impports .did you mean 'imports'"),
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
