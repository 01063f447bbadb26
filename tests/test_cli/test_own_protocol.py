"""A protocol of one's own, from a configuration to the tools that read saved embeddings."""

import json
import sys

import pytest
import torch
from helpers.tiny_config import write_tiny_config
from helpers.tools import run_tool
from mmengine.registry import DefaultScope

from mmreid_ext.protocols import named

RULES = """
from dataclasses import dataclass

import numpy as np

from mmreid_ext.protocols import EvaluationProtocol, Split
from mmreid_ext.registry import PROTOCOLS


@PROTOCOLS.register_module()
@dataclass(frozen=True)
class FirstQueries(EvaluationProtocol):
    number: int = 1
    ranks: tuple[int, ...] = (1, 3)

    def splits(self, images):
        query = np.flatnonzero(images.roles == "query")[: self.number]
        yield Split(query, np.flatnonzero(images.roles == "gallery"))
"""
CHOICES = [
    'val_evaluator["protocols"] = dict(type="FirstQueries", number=2)\n',
    'val_evaluator["protocols"] = dict(tiny=dict(type="mmreid_ext.FirstQueries", number=2))\n',
    'val_dataloader["dataset"]["protocol"] = dict(type="FirstQueries", number=2)\n',
]


@pytest.fixture
def call(monkeypatch, capsys):
    monkeypatch.setattr(named, "_NAMED", dict(named._NAMED))
    monkeypatch.setattr(sys, "path", list(sys.path))

    def forget():
        named._NAMED.pop("FirstQueries", None)
        for name in [name for name in sys.modules if name.startswith("own_rules")]:
            del sys.modules[name]

    def call(tool, *arguments):
        forget()
        DefaultScope._instance_dict.clear()
        run_tool(tool, monkeypatch, *arguments)
        return capsys.readouterr().out

    yield call
    forget()


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with rules beside the configuration, and nothing of it in ``PYTHONPATH``."""
    (tmp_path / "own_rules.py").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("choice", CHOICES)
def test_from_a_configuration_to_saved_features_and_back(call, files, choice):
    imports = 'custom_imports["imports"] = ["mmreid_ext", "own_rules"]\n'
    config = write_tiny_config(files, imports + choice)
    call("train", config, "--work-dir", files / "work")
    checkpoint = files / "work" / "iter_2.pth"
    assert torch.load(checkpoint, weights_only=True)["meta"]["iter"] == 2
    saved = ["--out", "r.json", "--save-features", "f.npz"]
    call("test", config, checkpoint, *saved, "--work-dir", files / "work")
    tested = json.loads((files / "r.json").read_text())
    assert tested["test_sets"]["tiny"]["protocol"]["type"] == "FirstQueries"
    with pytest.raises(SystemExit, match="Unknown .* 'FirstQueries'.*--import"):
        call("evaluate", "f.npz")
    call("evaluate", "f.npz", "--import", "own_rules.py", "--out", "again.json")
    again = json.loads((files / "again.json").read_text())
    assert again["metrics"] == pytest.approx(tested["metrics"])
    assert again["test_sets"]["tiny"]["num_queries"] == 2
    text = call("visualize_ranks", "f.npz", "--import", "own_rules", "--image-root", files)
    assert "2 queries drawn" in text


def test_by_name_on_the_command_line(call, files):
    config = write_tiny_config(files, 'custom_imports["imports"] = ["mmreid_ext", "own_rules"]\n')
    call("train", config, "--no-validate", "--work-dir", files / "work")
    checkpoint = files / "work" / "iter_2.pth"
    common = ["--out", "r.json", "--save-features", "f.npz", "--work-dir", files / "work"]
    call("test", config, checkpoint, "--protocol", "FirstQueries", *common)
    rows = json.loads((files / "r.json").read_text())["test_sets"]["tiny"]
    assert rows["num_queries"] == 1
    with pytest.raises(SystemExit, match="'FirstQuery' .did you mean 'FirstQueries'.*--import"):
        call("evaluate", "f.npz", "--import", "own_rules.py", "--protocol", "FirstQuery")
    call("evaluate", "f.npz", "--import", "own_rules.py", "--protocol", 'tiny={"type": "camera"}')
