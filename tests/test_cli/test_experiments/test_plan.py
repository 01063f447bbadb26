"""The commands of a run."""

import sys
from pathlib import Path

import pytest

from mmreid_ext.cli.experiments.plan import Commands, Run
from mmreid_ext.errors import UserError


def run_in(folder, **shared):
    commands = Commands(Path("tools"), "c.py", **shared)
    return Run("seed 3", 3, folder, ("a.b=1",), {}, commands)


def test_a_run_begins_or_goes_on(tmp_path):
    run = run_in(tmp_path, train_args=["--amp"])
    options = ["--amp", "--work-dir", str(tmp_path), "--cfg-options", "a.b=1"]
    start = [sys.executable, "tools/train.py", "c.py", "--seed", "3"]
    assert run.train() == start + options
    (tmp_path / "iter_5.pth").touch()  # last_checkpoint is lost: --resume finds this one
    assert run.train() == [*start, "--resume", *options]


def test_the_last_checkpoint_is_tested_wherever_the_folder_lies(tmp_path):
    run = run_in(tmp_path, test_args=["--flip"])
    with pytest.raises(UserError, match="seed 3: the training left no checkpoint"):
        run.test()
    (tmp_path / "last_checkpoint").write_text("/elsewhere/iter_9.pth\n")
    words = run.test()
    assert words[1:4] == ["tools/test.py", "c.py", str(tmp_path / "iter_9.pth")]
    assert words[4:7] == ["--out", str(tmp_path / "results.json"), "--flip"]


def test_several_ranks_are_started_by_the_script(tmp_path):
    words = run_in(tmp_path, ranks=2).train()
    assert words[:4] == ["bash", "tools/dist_train.sh", "c.py", "2"]
