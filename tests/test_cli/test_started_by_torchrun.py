"""Processes of torchrun, without ``--launcher``: they join one run, or stop."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.paths import ROOT, TOOLS
from helpers.tiny_config import write_tiny_config
from helpers.tools import run_tool


def torchrun(tool: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [str(TOOLS / f"{tool}.py"), *map(str, arguments)]
    env = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)


def weights(path: Path) -> dict:
    return torch.load(path, weights_only=True)["state_dict"]


@pytest.mark.slow
def test_training_and_testing_join(tmp_path, monkeypatch):
    small = "train_dataloader['batch_size'] = 4\nbatch_size_is_global = True\n"
    config = write_tiny_config(tmp_path, small)
    work = tmp_path / "work"
    result = torchrun("train", config, "--work-dir", work, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]
    # One folder of logs: the second rank wrote nothing of its own.
    assert len([path for path in work.iterdir() if path.is_dir()]) == 1
    monkeypatch.chdir(tmp_path)
    run_tool("train", monkeypatch, config, "--work-dir", "alone")
    alone, both = weights(tmp_path / "alone" / "iter_2.pth"), weights(work / "iter_2.pth")
    for name, value in alone.items():
        torch.testing.assert_close(both[name], value, rtol=1e-4, atol=1e-5)

    saved = ["--out", "r.json", "--save-features", "f.npz", "--work-dir", work]
    result = torchrun("test", config, work / "iter_2.pth", *saved, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]
    assert json.loads((tmp_path / "r.json").read_text())["settings"]["ranks"] == 2


REFUSED = {
    "train": (["CONFIG", "--launcher", "none"], "--launcher none: torchrun started 2 ranks"),
    "test": (["CONFIG", "x.pth", "--launcher", "none"], "--launcher none: torchrun started 2"),
    "train_seeds": (["CONFIG"], "this tool is one.*--ranks"),
    "evaluate": (["f.npz", "--out", "again.json"], "torchrun started 2 processes, but this"),
}


@pytest.mark.parametrize("tool", REFUSED)
def test_what_ranks_may_not_do_is_said(tool, tmp_path, monkeypatch):
    """In this process, as rank 0; that ranks say it once is seen in ``test_errors.py``."""
    arguments, words = REFUSED[tool]
    monkeypatch.chdir(tmp_path)
    for name, value in dict(RANK="0", WORLD_SIZE="2", LOCAL_RANK="0", MASTER_ADDR="a").items():
        monkeypatch.setenv(name, value)
    config = write_tiny_config(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SystemExit, match=f"^error: .*{words}"):
        run_tool(tool, monkeypatch, *(config if a == "CONFIG" else a for a in arguments))
    assert sorted(tmp_path.iterdir()) == before
