"""Strong and weak scaling of a MetaBIN iteration over gloo ranks on the CPU, and what is sent.

Strong: the global batch stays, ranks share it. Weak: the batch per rank stays. Every rank has one
thread, so more ranks than cores only show what waiting costs. Also counts the messages of an
iteration and their bytes, as handed over by rank 0; gradients are DDP's own. With ``--count-only``
one process plays rank 0 of any number of ranks, and nothing is timed.

Example::

    python tools/benchmarks/scaling.py --ranks 1 2 4
    python tools/benchmarks/scaling.py --count-only --ranks 8 --depth 50
"""

from __future__ import annotations

import argparse
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import metabin_candidates as candidates
import torch
import torch.distributed as dist
from counted_messages import Message, noted_messages, table
from mmengine.model import MMDistributedDataParallel
from timing import machine, medians
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
    parser.add_argument("--count-only", action="store_true", help="only messages and bytes")
    return parser.parse_args()


def make_step(rank: int, world: int, args: argparse.Namespace) -> Callable[[], None]:
    torch.manual_seed(0)
    args.device, args.domains, args.instances = "cpu", DOMAINS, 2
    model = candidates.make_model(args)
    wrapped = MMDistributedDataParallel(model, broadcast_buffers=False) if world > 1 else model
    wrapper = candidates.make_optim_wrapper(wrapped)
    base, meta = candidates.make_batch(args, 2 * rank), candidates.make_batch(args, 2 * rank + 1)

    def step() -> None:
        MetaBINTrainLoop.metabin_step(
            wrapped,
            base,
            meta,
            optim_wrapper=wrapper,
            train_domains=[0],
            inner_lr=candidates.INNER_LR,
            gate_lr=candidates.GATE_LR,
        )

    return step


def run_rank(rank: int, world: int, port: int, args: argparse.Namespace, folder: str) -> None:
    os.environ.update(
        MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE=str(world)
    )
    torch.set_num_threads(1)
    keep_freed_memory()
    dist.init_process_group("gloo")
    step = make_step(rank, world, args)
    seconds = medians({"step": step}, args.repeats)["step"]
    with noted_messages() as messages:
        step()
    if rank == 0:
        torch.save((seconds, [tuple(m) for m in messages]), Path(folder) / "result.pt")
    dist.destroy_process_group()


def measure(world: int, batch_per_rank: int, args: argparse.Namespace) -> tuple[float, list]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = argparse.Namespace(**{**vars(args), "batch_size": batch_per_rank})
    with tempfile.TemporaryDirectory() as folder:
        spawn(run_rank, (world, port, settings, folder), nprocs=world)
        return torch.load(Path(folder) / "result.pt", weights_only=True)


def count(args: argparse.Namespace) -> None:
    """Print the messages of one iteration for each number of ranks."""
    for world in args.ranks:
        step = make_step(0, 1, args)
        with noted_messages(world) as messages:
            step()
        print(f"\nOne of {world} ranks, ResNet-{args.depth}, {args.batch_size} images a rank:\n")
        print(table(messages, world))


def run(args: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    if args.count_only:
        count(args)
        return
    size = f"{args.height} x {args.width}"
    print(f"{machine()} a rank, {os.cpu_count()} cores; ResNet-{args.depth}, {size}\n")
    print("| scaling | ranks | images | s per iteration | images/s | efficiency |")
    print("|---|---|---|---|---|---|")
    alone, sent = None, {}
    for kind in ("strong", "weak"):
        for world in args.ranks:
            share = args.batch_size // world if kind == "strong" else args.batch_size
            seconds, messages = measure(world, share, args)
            images = 2 * share * world  # base and meta
            alone = alone or images / seconds
            rate = images / seconds
            sent[world] = [Message(*fields) for fields in messages]
            cells = (kind, world, images, f"{seconds:.3f}", f"{rate:.1f}")
            print(f"| {' | '.join(map(str, cells))} | {rate / alone / world:.0%} |", flush=True)
    for world, messages in sent.items():
        if world > 1:
            print(f"\n{world} ranks, an iteration of weak scaling:\n\n{table(messages, world)}")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
