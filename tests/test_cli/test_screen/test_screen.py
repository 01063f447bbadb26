"""A training and a test as a user sees them: few lines on screen, everything in the log file."""

import json
import re
import shutil

import pytest
import torch
from helpers.tiny_config import write_tiny_config
from helpers.tools import run_tool

from mmreid_ext.checkpoint import safe_load


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.delenv("MMREID_TRACEBACK", raising=False)
    monkeypatch.chdir(tmp_path)
    # MMEngine gives runs of one name that begin in the same second the same log.
    return write_tiny_config(tmp_path, f'log_level = "INFO"\nexperiment_name = "{tmp_path.name}"\n')


@pytest.fixture
def train(config, monkeypatch, capsys):
    def call(*arguments, code=None):
        if code is None:
            run_tool("train", monkeypatch, config.name, *arguments)
        else:
            with pytest.raises(SystemExit) as caught:
                run_tool("train", monkeypatch, config.name, *arguments)
            assert caught.value.code == code or code == 1
        return capsys.readouterr()

    return call


def log_text(folder):
    (path,) = folder.glob("work_dirs/tiny/*/*.log")
    return path.read_text()


def test_a_training(train, tmp_path):
    lines = train().out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("iter 1/2"))
    assert start <= 12
    assert [line.split()[0] for line in lines[:start]] == [
        *("training", "data", "model", "recipe", "steps", "device", "log")
    ]
    assert "8 images, 2 people, 2 cameras" in lines[1]
    text = "\n".join(lines)
    assert text.count("Retrieval, in percent") == 1 and "mmengine" not in text
    assert lines[-2].startswith("next        python tools/test.py tiny.py")
    said = log_text(tmp_path)
    for part in ("System environment", "Config:", "Hooks will be executed", *lines[1:start]):
        assert part in said
    assert said.count("Retrieval, in percent") == 1


def test_the_log_file_is_short_and_the_json_complete(train, tmp_path):
    train("--cfg-options", "default_hooks.logger.interval=1")
    (path,) = tmp_path.glob("work_dirs/tiny/*/vis_data/scalars.json")
    first = json.loads(path.read_text().splitlines()[0])
    assert {"lr", "data_time", "time", "loss", "loss_ce", "iter", "step"} <= set(first)
    said = re.findall(r"INFO - (iter .*)", log_text(tmp_path))
    assert len(said) == 2 and "data_time" not in said[0]
    assert f"loss {first['loss']:.3f}" in said[0]


def test_verbose_shows_what_the_log_file_has(train, tmp_path):
    out = train("--verbose").out
    assert "System environment" in out and "Hooks will be executed" in out
    assert "Iter(train)" in log_text(tmp_path)


def test_an_error_is_the_last_thing_and_in_the_log_file(train, tmp_path, monkeypatch):
    from mmreid_ext.engine import train_loop
    from mmreid_ext.errors import DivergenceError

    def diverged(*_):
        raise DivergenceError("Loss is not finite at iteration 1.")

    monkeypatch.setattr(train_loop, "stop_if_not_finite", diverged)
    train(code=1)
    last = log_text(tmp_path).splitlines()[-1]  # with the place where it was raised
    assert re.search(r"ERROR - .*test_screen.py - diverged - \d+ - Loss is not finite", last)


def test_a_bug_leaves_its_traceback_in_the_log_file(train, tmp_path, monkeypatch):
    from mmreid_ext.engine import train_loop

    def bug(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(train_loop, "average_over_ranks", bug)
    with pytest.raises(ZeroDivisionError):
        train()
    assert "Traceback" in log_text(tmp_path) and "a bug" in log_text(tmp_path)


def test_an_interrupted_training_says_how_to_go_on(train, monkeypatch):
    from mmengine.hooks import CheckpointHook

    save = CheckpointHook.after_train_iter

    def interrupted(self, runner, *arguments, **options):
        save(self, runner, *arguments, **options)
        if runner.iter == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(CheckpointHook, "after_train_iter", interrupted)
    error = train(code=130).err
    assert "interrupted" in error and "iter_2.pth" in error
    assert error.strip().endswith("python tools/train.py tiny.py --resume")


def test_a_test(train, config, monkeypatch, capsys):
    train()
    run_tool(
        "test",
        monkeypatch,
        config.name,
        "work_dirs/tiny/iter_2.pth",
        "--out",
        "results.json",
        "--cfg-options",
        "experiment_name=second",
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("testing") and lines[-1].startswith("Written: ")
    assert sum("Retrieval, in percent" in line for line in lines) == 1


def test_other_ranks_are_silent(train, monkeypatch):
    from mmreid_ext.cli.screen import screen

    monkeypatch.setattr(screen, "speaks", lambda args: False)
    assert train().out == ""


def test_a_run_resumes_exactly(train, tmp_path):
    """Counting multiply-adds and showing progress leave no trace in the weights."""
    longer = ["--cfg-options", "train_cfg.max_iters=4", "param_scheduler.0.milestones=[3]"]
    longer += ["default_hooks.checkpoint.interval=2", "train_cfg.val_interval=4"]
    train("--work-dir", "whole", *longer)
    (tmp_path / "half").mkdir()
    shutil.copy("whole/iter_2.pth", "half")
    train("--work-dir", "half", "--resume", "half/iter_2.pth", *longer, "experiment_name=resumed")
    whole, half = (safe_load(f"{folder}/iter_4.pth")["state_dict"] for folder in ("whole", "half"))
    for name, value in whole.items():
        assert torch.equal(value, half[name]), name
