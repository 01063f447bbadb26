"""Strong and weak scaling of a MetaBIN iteration over gloo ranks on the CPU, and what is sent.

Strong: the global batch stays, ranks share it. Weak: the batch per rank stays. Every rank has one
thread, so more ranks than cores only show what waiting costs. Also counts the collective operations
of an iteration and their bytes, as handed over by rank 0; gradients are DDP's own.

Example::

    python tools/benchmarks/scaling.py --ranks 1 2 4
"""

from __future__ import annotations

import argparse
import os
import socket
import tempfile
from collections import Counter
from pathlib import Path

import metabin_candidates as candidates
import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from timing import machine, medians
from torch import Tensor
from torch.multiprocessing import spawn

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.freed_memory import keep_freed_memory
from mmreid_ext.engine import MetaBINTrainLoop

DOMAINS = 2  # a rank needs whole groups of two identities of every domain


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--depth", type=int, default=18)
    parser.add_argument("--height", type=int, default=128)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32, help="of one rank alone")
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


def count_collectives(counts: Counter) -> None:
    """Note calls and bytes of the collectives of ``mmreid_ext.distributed``."""
    for name in ("all_gather", "all_reduce"):
        original = getattr(dist, name)

        def counted(*tensors: Tensor, name: str = name, original=original, **kwargs):
            sent = tensors[-1]
            counts[f"{name} calls"] += 1
            counts[f"{name} bytes"] += sent.numel() * sent.element_size()
            return original(*tensors, **kwargs)

        setattr(dist, name, counted)


def run_rank(rank: int, world: int, port: int, args: argparse.Namespace, folder: str) -> None:
    os.environ.update(
        MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE=str(world)
    )
    torch.set_num_threads(1)
    keep_freed_memory()
    dist.init_process_group("gloo")
    counts: Counter = Counter()
    count_collectives(counts)
    torch.manual_seed(0)
    args.device, args.domains, args.instances = "cpu", DOMAINS, 2
    model = candidates.make_model(args)
    wrapped = MMDistributedDataParallel(model, broadcast_buffers=False) if world > 1 else model
    wrapper = candidates.make_optim_wrapper(wrapped)
    base, meta = candidates.make_batch(args, 2 * rank), candidates.make_batch(args, 2 * rank + 1)

    def step() -> None:
        counts.clear()
        MetaBINTrainLoop.metabin_step(
            wrapped,
            base,
            meta,
            optim_wrapper=wrapper,
            train_domains=[0],
            inner_lr=candidates.INNER_LR,
            gate_lr=candidates.GATE_LR,
        )

    seconds = medians({"step": step}, args.repeats)["step"]
    if rank == 0:
        torch.save((seconds, dict(counts)), Path(folder) / "result.pt")
    dist.destroy_process_group()


def measure(world: int, batch_per_rank: int, args: argparse.Namespace) -> tuple[float, dict]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = argparse.Namespace(**{**vars(args), "batch_size": batch_per_rank})
    with tempfile.TemporaryDirectory() as folder:
        spawn(run_rank, (world, port, settings, folder), nprocs=world)
        return torch.load(Path(folder) / "result.pt", weights_only=True)


def run(args: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    size = f"{args.height} x {args.width}"
    print(f"{machine()} a rank, {os.cpu_count()} cores; ResNet-{args.depth}, {size}\n")
    print("| scaling | ranks | images | s per iteration | images/s | efficiency |")
    print("|---|---|---|---|---|---|")
    alone, sent = None, {}
    for kind in ("strong", "weak"):
        for world in args.ranks:
            share = args.batch_size // world if kind == "strong" else args.batch_size
            seconds, counts = measure(world, share, args)
            images = 2 * share * world  # base and meta
            alone = alone or images / seconds
            rate = images / seconds
            sent[world] = counts
            cells = (kind, world, images, f"{seconds:.3f}", f"{rate:.1f}")
            print(f"| {' | '.join(map(str, cells))} | {rate / alone / world:.0%} |", flush=True)
    for world, counts in sent.items():
        print(f"\n{world} ranks, an iteration of weak scaling: {counts}")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
