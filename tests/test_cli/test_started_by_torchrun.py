"""Two real processes of torchrun, without ``--launcher``: they join one run, or stop."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.paths import ROOT, TOOLS
from helpers.tiny_config import write_tiny_config

pytestmark = pytest.mark.slow


def torchrun(tool: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [str(TOOLS / f"{tool}.py"), *map(str, arguments)]
    env = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)


def weights(path: Path) -> dict:
    return torch.load(path, weights_only=True)["state_dict"]


def test_training_and_testing_join_and_other_tools_stop(tmp_path):
    small = "train_dataloader['batch_size'] = 4\nbatch_size_is_global = True\n"
    config = write_tiny_config(tmp_path, small)
    work = tmp_path / "work"
    result = torchrun("train", config, "--work-dir", work, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]
    # One folder of logs: the second rank wrote nothing of its own.
    assert len([path for path in work.iterdir() if path.is_dir()]) == 1
    command = [sys.executable, str(TOOLS / "train.py"), str(config), "--work-dir", "alone"]
    env = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True)
    alone, both = weights(tmp_path / "alone" / "iter_2.pth"), weights(work / "iter_2.pth")
    for name, value in alone.items():
        torch.testing.assert_close(both[name], value, rtol=1e-4, atol=1e-5)

    saved = ["--out", "r.json", "--save-features", "f.npz", "--work-dir", work]
    result = torchrun("test", config, work / "iter_2.pth", *saved, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]
    assert json.loads((tmp_path / "r.json").read_text())["settings"]["ranks"] == 2

    refused = {
        "train": ([config, "--launcher", "none"], "--launcher none: torchrun started 2 ranks"),
        "train_seeds": ([config], "this tool is one.*--ranks"),
        "evaluate": (["f.npz", "--out", "again.json"], "torchrun started 2 processes, but this"),
    }
    for tool, (arguments, words) in refused.items():
        result = torchrun(tool, *arguments, cwd=tmp_path)
        assert result.returncode != 0
        found = [line for line in result.stderr.splitlines() if "error: " in line]
        assert len(found) == 1, result.stderr
        assert re.search(words, found[0])
    assert not (tmp_path / "again.json").exists()
