"""Real ranks of real launchers die, start again, stop; the long form is tools/stress/restart.sh."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.distributed import run_distributed
from helpers.equal_states import assert_same
from helpers.paths import ROOT, TOOLS
from helpers.tiny_config import write_tiny_config
from mmengine.config import Config
from mmengine.runner import Runner

pytestmark = pytest.mark.slow

SETTINGS = """
train_dataloader["batch_size"] = 4
train_dataloader["persistent_workers"] = val_dataloader["persistent_workers"] = False
batch_size_is_global = True
train_cfg.update(max_iters=9, val_interval=3)
default_hooks["checkpoint"]["interval"] = 1
custom_imports = dict(imports=["mmreid_ext", "faults_of_a_test"], allow_failed_imports=False)
custom_hooks = [dict(type="FaultsOfATest")]
"""

FAULTS = '''
import os, signal
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

@HOOKS.register_module()
class FaultsOfATest(Hook):
    """Rank 1 of the first attempt dies; rank 0 of the second one is asked to stop."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        now = os.environ.get("TORCHELASTIC_RESTART_COUNT"), runner.rank, runner.iter + 1
        if now == ("0", 1, 4):
            os.kill(os.getpid(), signal.SIGKILL)
        if now == ("1", 0, 6):
            os.kill(os.getpid(), signal.SIGUSR1)
'''


def launch(*command, cwd):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "TORCHELASTIC"))}
    env |= dict(PYTHON=sys.executable, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1", TMPDIR=str(cwd))
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )


def train_undisturbed(rank, world_size, config, folder):
    sys.path.insert(0, str(Path(config).parent))
    cfg = Config.fromfile(config)
    cfg.work_dir, cfg.launcher = folder, "pytorch"
    cfg.model_wrapper_cfg = dict(
        type="mmengine.MMDistributedDataParallel", device_ids=None, broadcast_buffers=False
    )
    Runner.from_cfg(cfg).train()


def test_a_rank_dies_then_the_run_is_asked_to_stop(tmp_path):
    config = write_tiny_config(tmp_path, SETTINGS)
    (tmp_path / "faults_of_a_test.py").write_text(FAULTS)
    work = tmp_path / "work"
    result = launch(
        TOOLS / "dist_train.sh", config, 2, "--max-restarts", 2, "--work-dir", work, cwd=tmp_path
    )
    assert result.returncode == 75, result.stderr[-3000:]
    restarts = [line for line in result.stdout.splitlines() if line.startswith("restart ")]
    assert restarts == [f"restart 1: the run goes on from the last checkpoint in {work}"]
    assert "rank 1 on" in result.stderr and "has died" in result.stderr
    # The request arrives one step later: in the validation, which is ended.
    said = "SIGUSR1: the run has stopped after iteration 6; work/iter_6.pth is the last checkpoint"
    assert f"{said}, go on with\n  tools/dist_train.sh " in result.stderr
    assert "Traceback" not in result.stderr
    # Nothing is left of the launcher's reports, nor of the checkpoint that was being written.
    assert not list(tmp_path.glob("mmreid_ext_ranks_*")) and not list(work.glob(".*"))

    run_distributed(train_undisturbed, 2, str(config), str(tmp_path / "whole"))
    files = [torch.load(f / "iter_6.pth", weights_only=True) for f in (work, tmp_path / "whole")]
    for name in ("state_dict", "optimizer", "param_schedulers"):
        assert_same(files[0][name], files[1][name])


def test_an_error_of_the_user_is_not_tried_again(tmp_path):
    """Also under a torchrun that restarts its ranks whatever they say."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    torchrun += ["--nproc-per-node", 2, "--max-restarts", 1]
    result = launch(*torchrun, TOOLS / "train.py", "none.py", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.count("traceback : error: No configuration none.py") == 1
    (verdict,) = tmp_path.glob("torchelastic_*/*/mmreid_ext_over.json")
    again = [p for p in verdict.parent.glob("attempt_1/*/error.json")]
    assert len(again) == 1 and "No configuration none.py" in again[0].read_text()
    ours = launch(
        TOOLS / "dist_train.sh", "none.py", 1, "--max-restarts", 3, "--rubbish", cwd=tmp_path
    )
    assert ours.returncode == 2
    assert ours.stderr.count("unrecognized arguments: --rubbish") == 1


def test_arguments_of_the_launcher(tmp_path):
    result = launch(TOOLS / "dist_train.sh", "none.py", 1, "--max-restarts", "x", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr == "--max-restarts must be a number of attempts after the first, got 'x'\n"
    result = launch(TOOLS / "stress" / "restart.sh", "0", cwd=tmp_path)
    assert result.returncode == 2 and "RUNS must be a positive number" in result.stderr
