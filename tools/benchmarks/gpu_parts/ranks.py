"""Two ranks compute what one computes: NCCL on two GPUs, gloo on a CPU."""

from __future__ import annotations

import tempfile
from pathlib import Path

import metabin_candidates as candidates
import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from torch import Tensor
from torch.multiprocessing import spawn

from mmreid_ext.engine import MetaBINTrainLoop

from . import equality_cases as cases
from .equality import error_of
from .equality_cases import STEP, Place
from .job import Job, OutOfTimeError

TITLE = "Two ranks"
ABOUT = (
    "One iteration of MetaBIN on a small network in float64, on one rank and on two that share "
    "the batch. Weights, gates and running averages are compared."
)
WORLD = 2
LIMIT = 1e-8
"""Of float64 sums in another order, through one iteration"""


def run(job: Job) -> None:
    """Compare, if there are two devices."""
    if job.device.count() < WORLD:
        job.skip(f"NCCL wants a GPU per rank, and there are {job.device.count()}.")
        return
    with job.trying("two ranks", equality=True), tempfile.TemporaryDirectory() as folder:
        one = step_of(0, 1, job.device.name)
        context = spawn(run_rank, (folder, job.device.name), nprocs=WORLD, join=False)
        while not context.join(timeout=1):
            if job.left() < 3:
                for process in context.processes:
                    process.kill()
                raise OutOfTimeError("the ranks had not ended when their time was up")
        for rank in range(WORLD):
            two = torch.load(Path(folder) / f"{rank}.pt", weights_only=True)
            error, worst = max((error_of(two[key], value), key) for key, value in one.items())
            job.check(f"rank {rank} of {WORLD} against one rank ({worst})", error, LIMIT)


def step_of(rank: int, world: int, device: str) -> dict[str, Tensor]:
    """Return the network after an iteration on this rank's share of the batch."""
    place = Place(device, torch.float64, torch.float64)
    model = cases.small_model(place)
    wrapped: torch.nn.Module = model
    if world > 1:
        ids = [rank] if device.startswith("cuda") else None
        wrapped = MMDistributedDataParallel(model, device_ids=ids, broadcast_buffers=False)
    MetaBINTrainLoop.metabin_step(
        wrapped,
        share_of(cases.small_batch(place, 21), rank, world),
        share_of(cases.small_batch(place, 22), rank, world),
        optim_wrapper=candidates.make_optim_wrapper(wrapped),
        train_domains=range(STEP.domains // 2),
        inner_lr=0.1,
        gate_lr=0.5,
    )
    return {name: value.cpu() for name, value in cases.state_of(model).items()}


def share_of(batch: dict, rank: int, world: int) -> dict:
    """Return every ``world``-th identity of a batch, so that each rank has every domain."""
    rows = [i for i in range(STEP.batch_size) if i // STEP.instances % world == rank]
    samples = [batch["data_samples"][i] for i in rows]
    return dict(inputs=batch["inputs"][rows], data_samples=samples)


def run_rank(rank: int, folder: str, device: str) -> None:
    """Be one of the ranks; write the network to a file."""
    torch.set_num_threads(1)
    if device == "cuda":
        torch.cuda.set_device(rank)
        device = f"cuda:{rank}"
    dist.init_process_group(
        "nccl" if device.startswith("cuda") else "gloo",
        init_method=f"file://{folder}/store",
        rank=rank,
        world_size=WORLD,
    )
    state = step_of(rank, WORLD, device)
    torch.save(state, Path(folder) / f"{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()
