"""All ranks go on from the same file, or stop for the same reason."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from helpers.distributed import run_distributed
from helpers.tiny_loops import ITERS, make_runner

from mmreid_ext.errors import UserError

WRAPPER = dict(
    model_wrapper_cfg=dict(
        type="mmengine.MMDistributedDataParallel", device_ids=None, broadcast_buffers=False
    )
)


def weights(runner):
    return {name: value.clone() for name, value in runner.model.module.named_parameters()}


def go_on_after_damage(rank, world_size, folder):
    """The weights of an undisturbed run, of one that lost its newest file, and an error's text."""
    whole = make_runner(folder, launcher="pytorch", cfg=WRAPPER, save_best=True)
    whole.train()
    dist.barrier()
    if rank == 0:
        newest = Path(folder) / f"iter_{ITERS}.pth"
        newest.write_bytes(newest.read_bytes()[:-50])
    dist.barrier()
    resumed = make_runner(folder, launcher="pytorch", cfg=WRAPPER, save_best=True, resume=True)
    resumed.train()
    with pytest.raises(UserError) as error:
        make_runner(f"{folder}_empty", launcher="pytorch", cfg=WRAPPER, resume=True).train()
    return weights(whole), weights(resumed), str(error.value)


@pytest.mark.slow
def test_ranks_go_on_together(tmp_path):
    results = run_distributed(go_on_after_damage, 2, str(tmp_path / "run"))
    for whole, resumed, error in results:
        assert all(torch.equal(whole[name], resumed[name]) for name in whole)
        assert "nothing to resume" in error
    with pytest.raises(UserError, match=r"batch_size \(of all ranks\) was 8, is 4"):
        file = tmp_path / "run" / f"iter_{ITERS - 1}.pth"
        make_runner(tmp_path / "one", resume=True, load_from=str(file)).train()
