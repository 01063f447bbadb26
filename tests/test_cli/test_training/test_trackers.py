"""Options of the trackers: what they add to a configuration, and packages that are missing."""

import argparse
import importlib.util

import pytest
from mmengine.config import Config

from mmreid_ext.cli.training import trackers
from mmreid_ext.errors import MissingPackageError

LOCAL = dict(type="LocalVisBackend")


@pytest.fixture(autouse=True)
def everything_is_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())


def applied(*options, **cfg):
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    trackers.add_tracker_arguments(parser)
    config = Config(dict(work_dir="work_dirs/first", **cfg))
    trackers.apply_tracker_arguments(config, parser.parse_args(["a/market.py", *options]))
    return config


VISUALIZER = dict(type="UniversalVisualizer", vis_backends=[LOCAL])


def test_nothing_is_changed_without_an_option():
    assert "visualizer" not in applied()
    assert applied(visualizer=VISUALIZER).visualizer == VISUALIZER


@pytest.mark.parametrize("given", [{}, dict(visualizer=VISUALIZER), dict(visualizer=None)])
def test_the_json_files_stay(given):
    backends = applied("--tensorboard", **given).visualizer.vis_backends
    assert backends == [LOCAL, dict(type="mmreid_ext.TensorboardTracker")]


def test_addresses_and_names():
    backends = applied("--mlflow", "http://server", "--wandb", "reid").visualizer.vis_backends
    run = dict(run_name="first")
    assert backends[1:] == [
        dict(
            type="mmreid_ext.MLflowTracker",
            experiment="market",
            tracking_uri="http://server",
            **run,
        ),
        dict(type="mmreid_ext.WandbTracker", project="reid", **run),
    ]
    backends = applied("--mlflow", "--wandb").visualizer.vis_backends
    assert backends[1]["tracking_uri"] is None and backends[2]["project"] == "market"


@pytest.mark.parametrize("option", ["tensorboard", "mlflow", "wandb"])
def test_a_missing_package_is_named_before_anything_starts(option, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    message = rf"^--{option}: the package '{option}' is not installed; run pip install {option} "
    with pytest.raises(MissingPackageError, match=message):
        applied(f"--{option}")
