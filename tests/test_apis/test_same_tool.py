"""tools/same.py answers in words and in JSON."""

import json
from types import SimpleNamespace

import pytest
import torch
from helpers.tiny_config import write_tiny_config
from helpers.tools import run_tool
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmreid_ext.engine.hooks import DeploymentInfoHook
from mmreid_ext.registry import MODELS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model, with thresholds (``tested.pth``) and without, and its images."""
    folder = tmp_path_factory.mktemp("same")
    cfg = Config.fromfile(write_tiny_config(folder))
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(cfg.model)
    content = dict(state_dict=model.state_dict(), meta={})
    torch.save(content, folder / "plain.pth")
    DeploymentInfoHook().before_save_checkpoint(SimpleNamespace(model=model, cfg=cfg), content)
    torch.save(content, folder / "trained.pth")
    rest = dict(tpr=0.9, negatives=500, dataset="tiny")
    pairs = ((0.01, -1.0), (0.001, 1.1))
    content["meta"]["mmreid_ext"]["thresholds"] = [
        dict(rest, fpr=fpr, similarity=similarity) for fpr, similarity in pairs
    ]
    torch.save(content, folder / "tested.pth")
    (folder / "pairs.csv").write_text("a,b\n0.png,1.png\n2.png,2.png\n")
    return folder


def same(folder, monkeypatch, *arguments):
    monkeypatch.chdir(folder)
    run_tool("same", monkeypatch, *arguments, "--device", "cpu")


def test_two_images(folder, monkeypatch, capsys):
    same(folder, monkeypatch, "0.png", "1.png", "--model", "tested.pth")
    out = capsys.readouterr().out
    assert out.startswith("0.png and 1.png\nsimilarity ")
    assert "yes  at a false alarm rate of 1 in 100 " in out and "no   at a false" in out
    same(folder, monkeypatch, "0.png", "1.png", "--model", "trained.pth")
    assert "python tools/test.py CONFIG trained.pth" in capsys.readouterr().out


def test_a_list_as_json(folder, monkeypatch, capsys):
    same(folder, monkeypatch, "--pairs", "pairs.csv", "--model", "tested.pth", "--json")
    found = json.loads(capsys.readouterr().out)
    assert [pair["a"] for pair in found["pairs"]] == ["0.png", "2.png"]
    assert found["pairs"][1]["similarity"] == pytest.approx(1)
    assert [answer["same"] for answer in found["pairs"][0]["answers"]] == [True, False]


def test_a_folder_is_a_table(folder, monkeypatch, capsys):
    same(folder, monkeypatch, ".", "3.png", "--model", "tested.pth")
    lines = capsys.readouterr().out.split("\n")
    assert sum(line.split()[:2][1:] == ["3.png"] for line in lines) == 16


def test_checkpoints_without_a_configuration_take_one(folder, monkeypatch, capsys):
    arguments = ["0.png", "1.png", "--model", "plain.pth"]
    same(folder, monkeypatch, *arguments, "--config", "tiny.py")
    assert "similarity" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        same(folder, monkeypatch, *arguments)
    assert "plain.pth holds no configuration" in stopped.value.code  # a text ends with 1


@pytest.mark.parametrize("images", [(), ("a.png",), ("a.png", "b.png", "c.png")])
def test_wrong_arguments_end_with_2(folder, monkeypatch, capsys, images):
    with pytest.raises(SystemExit) as stopped:
        same(folder, monkeypatch, *images, "--model", "tested.pth")
    assert stopped.value.code == 2 and "give two images or folders" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        same(folder, monkeypatch, *images, "--pairs", "pairs.csv") if images else same(
            folder, monkeypatch, "a.png", "b.png"
        )
