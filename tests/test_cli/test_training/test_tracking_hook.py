"""A tracked training: everything at its iteration, and the training itself unchanged."""

import json

import numpy as np
import pytest
import torch
from helpers.metabin_problem import make_model
from helpers.tiny_config import write_tiny_config
from helpers.tools import run_tool
from mmengine.config import Config

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.cli.training.tracking_hook import gates_of
from mmreid_ext.registry import VISBACKENDS
from mmreid_ext.visualization.trackers import Tracker

SEEN = []


@VISBACKENDS.register_module()
class RecordingTracker(Tracker):
    def _init_env(self):
        pass

    @property
    def experiment(self):
        return self

    def add_config(self, config: Config, **_):
        SEEN.append(("config", None))

    def add_scalars(self, scalar_dict, step=0, file_path=None, **_):
        SEEN.append((sorted(scalar_dict), self.step_of(step)))

    def add_histogram(self, name, values, step):
        SEEN.append((name, step))

    def add_image(self, name, image, step=0, **_):
        assert image.dtype == np.uint8 and image.shape[2] == 3
        SEEN.append((name, step))

    def add_embeddings(self, name, feats, labels, thumbnails, step):
        assert len(feats) == len(labels) == len(thumbnails) == 8
        SEEN.append((f"embeddings of {name}", step))

    def close(self):
        SEEN.append(("closed", None))


@pytest.fixture
def train(tmp_path, monkeypatch):
    SEEN.clear()
    monkeypatch.chdir(tmp_path)

    def call(name, extra=""):
        text = f'log_level = "ERROR"\nexperiment_name = "{tmp_path.name}{name}"\n{extra}'
        path = write_tiny_config(tmp_path, text)
        run_tool("train", monkeypatch, path, "--work-dir", name)
        return tmp_path / name

    return call


BACKENDS = """
visualizer["vis_backends"].append(dict(type="mmreid_ext.RecordingTracker"))
default_hooks["logger"]["interval"] = 1
"""
EPOCHS = """
train_cfg = dict(type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=2, val_interval=1)
param_scheduler = []
default_hooks["checkpoint"].update(by_epoch=True, interval=1)
log_processor = dict(by_epoch=True)
"""


def test_validations_are_recorded_at_their_iteration(train):
    train("run", BACKENDS)
    assert ("ranked_lists/tiny", 2) in SEEN and ("embeddings of tiny", 2) in SEEN
    validated = [step for names, step in SEEN if "tiny/mAP" in names]
    trained = [step for names, step in SEEN if "loss" in names]
    assert validated == [2] and trained == [1, 2]
    assert SEEN[-1] == ("closed", None)


def test_also_where_the_training_counts_epochs(train):
    folder = train("run", BACKENDS + EPOCHS)
    lines = [json.loads(x) for x in next(folder.rglob("scalars.json")).read_text().splitlines()]
    in_json = [line["step"] for line in lines if "tiny/mAP" in line]
    steps = [step for names, step in SEEN if "tiny/mAP" in names]
    iterations = [line["step"] for line in lines if "loss" in line]
    assert in_json == [1, 2]  # as MMEngine writes it
    assert steps[-1] == iterations[-1] and len(steps) == 2


def test_the_training_is_the_same(train):
    tracked, plain = train("tracked", BACKENDS), train("plain")
    first, second = (safe_load(folder / "iter_2.pth")["state_dict"] for folder in (tracked, plain))
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_gates_by_stage():
    model = make_model(0.7)
    runner = type("Runner", (), dict(model=model))
    gates = gates_of(runner)
    layers = model.bin_layers()
    assert len(gates["gates"]) == sum(layer.gate.numel() for layer in layers.values())
    parts = [gates[name] for name in gates if name != "gates"]
    assert sorted(np.concatenate(parts)) == sorted(gates["gates"])
    assert {"gates/stem", "gates/layer1"} <= set(gates)
    assert gates_of(type("Runner", (), dict(model=torch.nn.Linear(1, 1)))) == {}
