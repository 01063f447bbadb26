"""Types given as classes: a pure-Python configuration trains, tests and takes every option."""

import json
import os
import re
import runpy
import subprocess
import sys

import pytest
import torch
from helpers.paths import ROOT
from helpers.tiny_config import write_tiny_config
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmreid_ext.apis import ReIDInferencer
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


CHILD = """
from mmengine.config import read_base

with read_base():
    from .pure_base import *

from torch.optim import Adam

optim_wrapper = dict(optimizer=dict(type=Adam, lr=0.001))
batch_size_is_global = True
"""


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
    assert 'type="' not in text
    (folder / "pure_base.py").write_text("".join(lines) + text)
    path = folder / "pure.py"
    path.write_text(CHILD)
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


def test_options_replace_what_a_class_took(run, tmp_path):
    option = "optim_wrapper.optimizer=dict(type='SGD', lr=0.1, momentum=0.5, _delete_=True)"
    run("train.py", "--no-validate", "--cfg-options", option, "train_cfg.max_iters=1")
    written = Config.fromfile(tmp_path / "work" / "pure.py")
    assert written.optim_wrapper.optimizer == dict(type="SGD", lr=0.1, momentum=0.5)
    assert (tmp_path / "work" / "iter_1.pth").is_file()


def test_the_inferencer_takes_it(run, config, tmp_path):
    run("train.py", "--no-validate")
    picture = str(config.parent / "0.png")
    checkpoint = tmp_path / "work" / "iter_2.pth"
    embedding = ReIDInferencer(config, checkpoint)(picture)
    assert embedding.shape == (1, 4)
    torch.testing.assert_close(
        ReIDInferencer(Config.fromfile(config), checkpoint)(picture), embedding
    )


@pytest.mark.slow
def test_seeds_and_saved_embeddings(run, config, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run("train_seeds.py", "--seeds", 3, "--test-args=--save-features=f.npz")
    document = json.loads((tmp_path / "work" / "seed_3" / "results.json").read_text())
    assert document["settings"]["config"].endswith("pure.py")


@pytest.mark.slow
def test_the_script_of_several_ranks(run, config, tmp_path):
    """Testing alone; ``dist_train.sh`` starts real ranks in ``test_started_again.py``."""
    run("train.py", "--no-validate")
    env = dict(os.environ, PYTHON=sys.executable, OMP_NUM_THREADS="1")
    checkpoint, out = str(tmp_path / "work" / "iter_2.pth"), str(tmp_path / "results.json")
    test = ["bash", str(ROOT / "tools" / "dist_test.sh"), str(config), checkpoint, "2"]
    test += ["--work-dir", str(tmp_path / "work"), "--out", out]
    subprocess.run(test, env=env, check=True, capture_output=True)
    assert json.loads((tmp_path / "results.json").read_text())["settings"]["ranks"] == 2


WRONG = {
    "train_cfg.type": ("ReIDTrainLop", "mmreid_ext.ReIDTrainLoop"),
    "model.type": ("ReIDModle", "mmreid_ext.ReIDModel"),
    "model.backbone.type": ("ResNett", "ResNet"),
    "model.backbone.norm_cfg.type": ("mmreid_ext.SyncBn2", "mmreid_ext.SyncBN"),
    "model.head.losses.ce.type": ("LabelSmothingLoss", "mmreid_ext.LabelSmoothingLoss"),
    "train_dataloader.sampler.type": ("PKSamplr", "mmreid_ext.PKSampler"),
    "train_dataloader.dataset.type": ("CSVDatset", "mmreid_ext.CSVDataset"),
    "train_dataloader.collate_fn.type": ("reid_colate", "mmreid_ext.reid_collate"),
    "val_evaluator.type": ("ReIDMetrik", "mmreid_ext.ReIDMetric"),
    "optim_wrapper.optimizer.type": ("Adamm", "Adam"),
    "param_scheduler.0.type": ("MultiStepLRR", "MultiStepLR"),
    "default_hooks.logger.type": ("LogerHook", "LoggerHook"),
    "visualizer.type": ("UniversalVisualiser", "UniversalVisualizer"),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_type_names_its_place_and_the_nearest(run, key):
    written, meant = WRONG[key]
    with pytest.raises(SystemExit) as caught:
        run("train.py", "--cfg-options", f"{key}={written}")
    place = re.escape(key.rpartition(".")[0])
    assert re.search(
        rf"error: {place}: type='{written}' .*did you mean '{meant}'", str(caught.value)
    )


@pytest.mark.parametrize("kind", ["mmreid_ext.ReIDMetric", "ReIDMetric", "a.b.ReIDMetric"])
def test_names_of_types(kind):
    assert type_name(kind) == "ReIDMetric"
    assert type_name(type("ReIDMetric", (), {})) == "ReIDMetric"
