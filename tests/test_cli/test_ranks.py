"""Which launcher a process belongs to."""

import pytest

from mmreid_ext.cli.ranks import choose_launcher, is_launched, require_one_process
from mmreid_ext.errors import UserError

MPIRUN = dict(OMPI_COMM_WORLD_SIZE="2", OMPI_COMM_WORLD_RANK="1")
HYDRA = dict(PMI_SIZE="3", PMI_RANK="0")
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


@pytest.mark.parametrize("environ", [MPIRUN, HYDRA, dict(MV2_COMM_WORLD_SIZE="2")])
@pytest.mark.parametrize("asked", [None, "none"])
def test_processes_of_mpirun_are_told_how_to_join(environ, asked):
    with pytest.raises(UserError, match="mpirun started [23] processes.*--launcher pytorch"):
        choose_launcher(asked, None, environ)


def test_processes_of_mpirun_that_can_join_do():
    assert choose_launcher(None, None, dict(MPIRUN, **TORCHRUN)) == "pytorch"
    assert choose_launcher("pytorch", None, MPIRUN) == "pytorch"
    assert choose_launcher(None, None, dict(HYDRA, PMI_SIZE="1")) == "none"
    assert choose_launcher(None, None, dict(SRUN, **HYDRA)) == "slurm"


@pytest.mark.parametrize(
    "environ, words",
    [(TORCHRUN, "torchrun started 2"), (SRUN, "srun started 2"), (HYDRA, "mpirun started 3")],
)
def test_a_tool_of_one_process_is_not_started_as_several(environ, words):
    with pytest.raises(UserError, match=f"{words} processes, but this tool is one.*; use one."):
        require_one_process("use one", environ)
    for alone in ({}, SALLOC, SBATCH, dict(TORCHRUN, WORLD_SIZE="1"), dict(HYDRA, PMI_SIZE="1")):
        require_one_process("use one", alone)


def test_ranks_of_a_launcher():
    assert is_launched(TORCHRUN) and is_launched(SRUN)
    assert not is_launched({}) and not is_launched(dict(TORCHRUN, WORLD_SIZE="1"))
