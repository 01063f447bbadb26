"""Types given as classes: a pure-Python configuration trains, tests and takes every option."""

import json
import runpy
import sys

import pytest
import torch
from helpers.paths import ROOT
from helpers.tiny_config import write_tiny_config
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmreid_ext.type_names import type_name

IMPORTS = {
    "ReIDModel": "mmreid_ext.models",
    "BNNeckHead": "mmreid_ext.models",
    "LabelSmoothingLoss": "mmreid_ext.models.losses",
    "SyncBN": "mmreid_ext.models.norms.batch_norm.SyncBatchNorm",
    "CSVDataset": "mmreid_ext.datasets",
    "reid_collate": "mmreid_ext.datasets.collate",
    "PKSampler": "mmreid_ext.datasets.samplers",
    "PackReIDInputs": "mmreid_ext.datasets.transforms",
    "LoadResized": "mmreid_ext.datasets.transforms",
    "ReIDTrainLoop": "mmreid_ext.engine",
    "ReIDMetric": "mmreid_ext.evaluation.reid_metric",
    "ResNet": "mmpretrain.models",
    "UniversalVisualizer": "mmpretrain.visualization",
    "LocalVisBackend": "mmengine.visualization",
    "LoadImageFromFile": "mmcv.transforms",
    "Resize": "mmcv.transforms",
    "DefaultSampler": "mmengine.dataset",
    "ValLoop": "mmengine.runner",
    "TestLoop": "mmengine.runner",
    "MultiStepLR": "mmengine.optim",
    "LoggerHook": "mmengine.hooks",
    "CheckpointHook": "mmengine.hooks",
    "SGD": "torch.optim",
}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The tiny configuration with its names of types turned into imported classes."""
    folder = tmp_path_factory.mktemp("tiny")
    text = write_tiny_config(folder).read_text()
    lines = []
    for name, module in IMPORTS.items():
        origin, _, real = module.rpartition(".") if name == "SyncBN" else (module, "", name)
        lines.append(f"from {origin} import {real}\n")
        for written in (f'"mmreid_ext.{name}"', f'"{name}"'):
            text = text.replace(f"type={written}", f"type={real}")
    path = folder / "pure.py"
    path.write_text("from mmengine.config import read_base\n" + "".join(lines) + text)
    assert 'type="' not in text
    return path


@pytest.fixture
def run(config, tmp_path, monkeypatch):
    def run_tool(tool, *arguments):
        DefaultScope._instance_dict.clear()
        command = [tool, str(config), *map(str, arguments), "--work-dir", str(tmp_path / "work")]
        monkeypatch.setattr(sys, "argv", command)
        runpy.run_path(str(ROOT / "tools" / tool), run_name="__main__")

    return run_tool


@pytest.mark.slow
def test_training_with_all_options(run, tmp_path):
    run("train.py", "--amp", "--channels-last", "--store-decoded", tmp_path / "store")
    assert any((tmp_path / "store").rglob("*.*"))
    assert torch.load(tmp_path / "work" / "iter_2.pth", weights_only=True)["meta"]["iter"] == 2


@pytest.mark.parametrize(
    "arguments, reranked", [([], True), (["--rerank", "--flip"], True), (["--no-rerank"], False)]
)
def test_testing_writes_all_rows(run, tmp_path, arguments, reranked):
    run("train.py", "--no-validate")
    out = tmp_path / "results.json"
    run("test.py", tmp_path / "work" / "iter_2.pth", "--out", out, *arguments)
    document = json.loads(out.read_text())
    assert ("tiny/rerank/mAP" in document["metrics"]) == reranked
    assert "<class" not in out.read_text()


def test_the_written_configuration_can_be_read_again(run, tmp_path):
    run("train.py")
    written = tmp_path / "work" / "pure.py"
    assert type_name(Config.fromfile(written).train_cfg.type) == "ReIDTrainLoop"


@pytest.mark.parametrize("kind", ["mmreid_ext.ReIDMetric", "ReIDMetric", "a.b.ReIDMetric"])
def test_names_of_types(kind):
    assert type_name(kind) == "ReIDMetric"
    assert type_name(type("ReIDMetric", (), {})) == "ReIDMetric"
