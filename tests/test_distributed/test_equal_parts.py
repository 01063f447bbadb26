"""Two ranks; what autograd makes of these is in test_operations."""

import pytest
import torch
import torch.distributed as dist
from helpers.distributed import run_distributed

from mmreid_ext.distributed.equal_parts import gather_equal_parts, sum_equal_parts

WORLD = 2
DTYPES = (torch.float64, torch.float32, torch.float16, torch.int64, torch.uint8, torch.bool)


def rows(rank, num_rows=3):
    return torch.arange(num_rows * 2).reshape(num_rows, 2) * (rank + 1) - rank


def on_each_rank(rank, world_size):
    own = rows(rank)
    gathered = [gather_equal_parts(own.to(dtype)) for dtype in DTYPES]
    gathered += [gather_equal_parts(own.t()), gather_equal_parts(own[:0])]
    both = rows(rank, 2 * WORLD).double()
    summed = [sum_equal_parts(both), sum_equal_parts(both[:, 0]), sum_equal_parts(both[:0])]
    summed.append(sum_equal_parts(both.reshape(2, -1).t().float()))  # not contiguous
    with pytest.MonkeyPatch.context() as patch:  # the form of GPUs, which this gloo knows, too
        patch.setattr(torch.Tensor, "is_cuda", True)
        on_gpu = [gather_equal_parts(own), sum_equal_parts(both)] if knows_both() else []
    return gathered, summed, on_gpu


def knows_both():
    """Whether gloo of this PyTorch has the collectives that NCCL is asked for."""
    try:
        part = torch.empty(1)
        dist.all_gather_into_tensor(torch.empty(WORLD), part)
        dist.reduce_scatter_tensor(part, torch.empty(WORLD))
    except RuntimeError:
        return False
    return True


def test_two_ranks():
    everybody = torch.cat([rows(0), rows(1)])
    total = (rows(0, 2 * WORLD) + rows(1, 2 * WORLD)).double()
    for rank, (gathered, summed, on_gpu) in enumerate(run_distributed(on_each_rank, WORLD)):
        for dtype, found in zip(DTYPES, gathered, strict=False):
            assert found.dtype == dtype and torch.equal(found, everybody.to(dtype))
        assert torch.equal(gathered[-2], torch.cat([rows(0).t(), rows(1).t()]))
        assert gathered[-1].shape == (0, 2)
        own = total.chunk(WORLD)[rank]
        assert torch.equal(summed[0], own) and torch.equal(summed[1], own[:, 0])
        assert summed[2].shape == (0, 2)
        transposed = total.reshape(2, -1).t().float()
        assert torch.equal(summed[3], transposed.chunk(WORLD)[rank])
        if on_gpu:
            assert torch.equal(on_gpu[0], everybody) and torch.equal(on_gpu[1], own)
