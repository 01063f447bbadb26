"""Which launcher a process belongs to."""

import pytest

from mmreid_ext.cli.ranks import choose_launcher
from mmreid_ext.errors import UserError

TORCHRUN = dict(RANK="1", WORLD_SIZE="2", LOCAL_RANK="1", MASTER_ADDR="a", MASTER_PORT="1")
SBATCH = dict(SLURM_JOB_ID="7", SLURM_NTASKS="2", SLURM_PROCID="0")
SRUN = dict(SBATCH, SLURM_STEP_ID="0", SLURM_STEP_NUM_TASKS="2")
SALLOC = dict(SLURM_JOB_ID="7", SLURM_NTASKS="2")


@pytest.mark.parametrize(
    "environ, expected",
    [
        ({}, "none"),
        (TORCHRUN, "pytorch"),
        (dict(TORCHRUN, WORLD_SIZE="1", RANK="0"), "none"),
        (SRUN, "slurm"),
        (dict(SRUN, SLURM_STEP_NUM_TASKS="1"), "none"),
        (SALLOC, "none"),
        (dict(SRUN, **TORCHRUN), "pytorch"),  # torchrun inside of srun
    ],
)
def test_ranks_join_by_themselves(environ, expected):
    assert choose_launcher(None, None, environ) == expected
    assert choose_launcher(None, "none", environ) == expected


def test_what_is_said_counts():
    assert choose_launcher("slurm", "pytorch", {}) == "slurm"
    assert choose_launcher(None, "pytorch", {}) == "pytorch"
    assert choose_launcher("none", None, SBATCH) == "none"
    assert choose_launcher("none", "pytorch", SRUN) == "none"


def test_ranks_of_one_run_may_not_work_alone():
    with pytest.raises(UserError, match="--launcher none: torchrun started 2 ranks"):
        choose_launcher("none", None, TORCHRUN)


def test_a_job_of_several_tasks_without_srun_is_refused():
    with pytest.raises(UserError, match="SLURM_NTASKS=2, .* by srun .*--launcher none"):
        choose_launcher(None, None, SBATCH)
