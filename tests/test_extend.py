"""The recipes of docs/extend.md work together: from one file of the user's, in every tool."""

import json
import re
import sys

import pytest
import torch
from helpers.distributed import run_distributed
from helpers.paths import ROOT
from helpers.tiny_config import write_tiny_config
from helpers.tools import run_tool
from mmengine.registry import DefaultScope

from mmreid_ext import registry
from mmreid_ext.models.heads.loss_arguments import LOSS_ARGUMENTS
from mmreid_ext.protocols import named

TEXT = (ROOT / "docs" / "extend.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
RECIPES = [block.split("# Try it")[0] for block in BLOCKS]

OWN = """
custom_imports["imports"] = ["mmreid_ext", "my_code"]
model["backbone"] = dict(type="mmreid_ext.Stripes", width=2)
model["head"].update(in_channels=8, losses=dict(
    focal=dict(type="mmreid_ext.FocalLoss"), own=dict(type="mmreid_ext.MeanDistanceLoss")))
dataset = dict(type="mmreid_ext.Corridor", data_root=ROOT, pipeline=pipeline, check=False)
train_dataloader["dataset"] = dict(dataset, mode="train")
val_dataloader["dataset"] = dict(dataset, mode="test")
val_evaluator = test_evaluator = [
    dict(type="mmreid_ext.ReIDMetric", protocols=dict(type="EveryNthQuery", step=1)),
    dict(type="mmreid_ext.MeanSpread"),
]
"""


@pytest.fixture
def forgotten(monkeypatch):
    """What the recipes register is gone afterwards."""
    monkeypatch.setattr(named, "_NAMED", dict(named._NAMED))
    for one in (registry.MODELS, registry.DATASETS, registry.METRICS):
        monkeypatch.setattr(one, "_module_dict", dict(one._module_dict))
    monkeypatch.setattr(sys, "path", list(sys.path))
    DefaultScope._instance_dict.clear()
    yield
    sys.modules.pop("my_code", None)


@pytest.mark.usefixtures("forgotten")
def test_all_recipes_train_and_test_from_one_file(tmp_path, monkeypatch, capsys):
    config = write_tiny_config(tmp_path, OWN.replace("ROOT", repr(str(tmp_path))))
    (tmp_path / "my_code.py").write_text("\n".join(RECIPES))
    for index in range(16):
        role = "train" if index < 8 else ("query", "gallery")[index % 2]
        folder = tmp_path / "corridor" / role
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{index // 4:04}_c{1 + index % 2}_{index:03}.jpg"
        (tmp_path / f"{index}.png").rename(folder / name)
    monkeypatch.chdir(tmp_path)
    run_tool("train", monkeypatch, config, "--work-dir", "work")
    saved = ["--out", "results.json", "--save-features", "features.npz", "--work-dir", "work"]
    DefaultScope._instance_dict.clear()
    run_tool("test", monkeypatch, config, "work/iter_2.pth", *saved)
    document = json.loads((tmp_path / "results.json").read_text())
    assert document["test_sets"]["corridor"]["protocol"]["type"] == "EveryNthQuery"
    log = "\n".join(path.read_text() for path in (tmp_path / "work").rglob("*.json"))
    assert "spread/mean" in log and "loss_focal" in log and "loss_own" in log
    command = ["features.npz", "--import", "my_code.py", "--out", "again.json"]
    run_tool("evaluate", monkeypatch, *command)
    again = json.loads((tmp_path / "again.json").read_text())
    assert again["metrics"] == pytest.approx(document["metrics"])


def test_the_page_lists_the_arguments_of_a_loss():
    shown = dict(re.findall(r"(?m)^\| `(\w+)` \| (.+) \|$", TEXT))
    assert shown == LOSS_ARGUMENTS


FEATS = torch.randn(8, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
PIDS = torch.tensor([0, 1, 0, 1, 2, 2, 0, 1])


def loss_and_gradient(rank, world_size, recipe):
    """The pair loss of the page on this rank's share of eight rows."""
    scope = {}
    exec(recipe, scope)
    rows = slice(rank * 8 // world_size, (rank + 1) * 8 // world_size)
    feats = FEATS[rows].clone().requires_grad_()
    loss = scope["MeanDistanceLoss"]()(feats, PIDS[rows])
    loss.backward()
    return loss.detach(), feats.grad / world_size  # as averaging over ranks makes it


def test_the_pair_loss_is_the_same_on_two_ranks():
    (recipe,) = (recipe for recipe in RECIPES if "MeanDistanceLoss" in recipe)
    ((loss, gradient),) = run_distributed(loss_and_gradient, 1, recipe)
    halves = run_distributed(loss_and_gradient, 2, recipe)
    for other, _ in halves:
        torch.testing.assert_close(other, loss)
    torch.testing.assert_close(torch.cat([half for _, half in halves]), gradient)
