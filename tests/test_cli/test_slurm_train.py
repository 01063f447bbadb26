"""tools/slurm_train.sh puts a job back into the queue when its training was asked to stop."""

import os
import subprocess

import pytest
from helpers.paths import TOOLS

SRUN = '#!/bin/bash\nprintf "%s\\n" "$@" > srun.txt\nexit {code}\n'
SCONTROL = '#!/bin/bash\necho "$@" > scontrol.txt\nexit {code}\n'


def slurm_train(folder, *options, code=0, job="77", refuses=0):
    for name, text in (
        ("srun", SRUN.format(code=code)),
        ("scontrol", SCONTROL.format(code=refuses)),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    env = {k: v for k, v in os.environ.items() if not k.startswith("SLURM_")}
    env |= dict(PATH=f"{folder}:{env['PATH']}", PYTHON="python") | (
        dict(SLURM_JOB_ID=job) if job else {}
    )
    command = [TOOLS / "slurm_train.sh", "gpu", "reid", "config.py", "2", *options]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("code", [0, 1, 75, 143])
def test_the_exit_code_is_the_trainings(tmp_path, code):
    result = slurm_train(tmp_path, "--amp", code=code)
    assert result.returncode == code, result.stderr
    words = (tmp_path / "srun.txt").read_text().splitlines()
    assert words[-4:] == ["config.py", "--launcher", "slurm", "--amp"]
    assert not (tmp_path / "scontrol.txt").exists()


@pytest.mark.parametrize("code", [0, 1, 75])
def test_only_a_training_that_was_asked_to_stop_is_queued_again(tmp_path, code):
    result = slurm_train(tmp_path, "--requeue", "--time-limit", "3h50m", code=code)
    assert result.returncode == code
    words = (tmp_path / "srun.txt").read_text().splitlines()
    assert "--requeue" not in words and words[-2:] == ["--time-limit", "3h50m"]
    queued = tmp_path / "scontrol.txt"
    assert queued.exists() == (code == 75)
    if code == 75:
        assert queued.read_text() == "requeue 77\n"
        assert result.stdout == "job 77 is in the queue again\n"


def test_a_job_that_cannot_be_queued_again_has_failed(tmp_path):
    result = slurm_train(tmp_path, "--requeue", code=75, refuses=1)
    assert result.returncode == 1
    assert result.stderr == "scontrol can't requeue job 77\n"


def test_what_is_no_batch_job_cannot_be_queued_again(tmp_path):
    result = slurm_train(tmp_path, "--requeue", job="")
    assert result.returncode == 2 and "use sbatch" in result.stderr
    assert not (tmp_path / "srun.txt").exists()
