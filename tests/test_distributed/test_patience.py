"""A rank that works alone for longer than the collectives' timeout is waited for."""

import time
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist
from helpers.distributed import run_distributed

from mmreid_ext import distributed as ops
from mmreid_ext.distributed.patience import patient_group

TIMEOUT = 1.0


def impatient_ranks(rank, world_size):
    """Rank 0 works alone for longer than a collective may wait.

    The timeout is set when the ranks have met: on a busy machine that alone may take longer.
    """
    assert patient_group() is patient_group()
    ops.barrier()
    dist.distributed_c10d._set_pg_timeout(timedelta(seconds=TIMEOUT), dist.group.WORLD)
    found = []
    for wait in (
        lambda: ops.broadcast_object("done"),
        lambda: ops.gather_objects(rank),
        lambda: ops.barrier(),
    ):
        if rank == 0:
            time.sleep(2 * TIMEOUT)
        found.append(wait())
    if rank == 0:
        time.sleep(2 * TIMEOUT)
    else:
        with pytest.raises(RuntimeError):  # a collective of training is not as patient
            dist.all_reduce(torch.zeros(1))
    store = dist.distributed_c10d._get_default_store()
    dist.destroy_process_group()
    dist.init_process_group(
        "gloo", store=dist.PrefixStore("last", store), rank=rank, world_size=world_size
    )
    return found


def test_a_rank_may_work_alone_for_long():
    assert run_distributed(impatient_ranks, 2, timeout=100) == [["done", [0, 1], None]] * 2
