"""What other programs on the machine cost, by how the threads of PyTorch wait for one another.

    python tools/benchmarks/contention.py

Each policy is a process with an environment of its own, all with the same number of threads. They
take turns: alone on the machine, then beside as many busy loops as there are threads. Work:
`step` is a training step of ResNet-18 on 8 images of 128 x 64, `rank` the ranking of a small set.
The policies are the library's default, passive waiting, a short spin, and a single thread.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from statistics import mean, median

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.library_defaults import SAME_CHOICE, WAITING

POLICIES: dict[str, dict[str, str]] = {
    "default": {},
    "passive": {WAITING: "PASSIVE"},
    "spin 10,000": {"GOMP_SPINCOUNT": "10000"},
    "one thread": {},
}
WORK = ("step", "rank")
BUSY = (sys.executable, "-c", "while True: pass")


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2, help="threads, and busy loops (2)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each policy (5)")
    parser.add_argument("--calls", type=int, default=3, help="calls per turn, averaged (3)")
    parser.add_argument("--policies", nargs="+", choices=POLICIES, default=list(POLICIES))
    args = parser.parse_args()
    if "default" not in args.policies:
        parser.error("--policies: ratios are to the default, so name it, too")
    return args


def training_step() -> Callable[[], object]:
    import torch
    from torch.nn.functional import cross_entropy
    from torchvision.models import resnet18

    torch.manual_seed(0)
    model = resnet18(num_classes=100).train()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    images, labels = torch.randn(8, 3, 128, 64), torch.randint(100, (8,))

    def step() -> None:
        optimizer.zero_grad()
        cross_entropy(model(images), labels).backward()
        optimizer.step()

    return step


def ranking() -> Callable[[], object]:
    from planted import plant

    from mmreid_ext.evaluation import evaluate_retrieval

    data = plant("small")
    return lambda: evaluate_retrieval(**data)


def work(pipe: Connection, threads: int, calls: int) -> None:
    """Do what the pipe asks for, and answer with the mean seconds of a call."""
    import torch

    from mmreid_ext.cli.freed_memory import keep_freed_memory

    torch.set_num_threads(threads)
    keep_freed_memory()  # as training does
    steps = dict(zip(WORK, (training_step(), ranking()), strict=True))
    for step in steps.values():
        step()
        step()
    pipe.send("ready")
    while (name := pipe.recv()) is not None:
        times = []
        for _ in range(calls):
            start = time.perf_counter()
            steps[name]()
            times.append(time.perf_counter() - start)
        pipe.send(mean(times))


class Worker:
    """A process whose libraries were loaded under a policy."""

    def __init__(self, policy: str, args: argparse.Namespace) -> None:
        for name in SAME_CHOICE:
            os.environ.pop(name, None)
        os.environ.update(POLICIES[policy])
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        threads = 1 if policy == "one thread" else args.threads
        self.process = context.Process(target=work, args=(theirs, threads, args.calls), daemon=True)
        self.process.start()

    def time(self, name: str) -> float:
        """Let it work; return the mean seconds of a call."""
        self.pipe.send(name)
        return self.pipe.recv()

    def end(self) -> None:
        """Let the process end."""
        self.pipe.send(None)
        self.process.join()


def measure(args: argparse.Namespace) -> dict[tuple[str, bool, str], float]:
    """Median seconds by work, whether the machine is busy, and policy."""
    workers = {policy: Worker(policy, args) for policy in args.policies}
    for worker in workers.values():
        worker.pipe.recv()
    found: dict[tuple[str, bool, str], list[float]] = {}
    for _ in range(args.rounds):
        for busy in (False, True):
            loops = [subprocess.Popen(BUSY) for _ in range(args.threads if busy else 0)]
            for name in WORK:
                for policy, worker in workers.items():
                    found.setdefault((name, busy, policy), []).append(worker.time(name))
            for loop in loops:
                loop.kill()
                loop.wait()
    for worker in workers.values():
        worker.end()
    return {key: median(times) for key, times in found.items()}


def run(args: argparse.Namespace) -> None:
    found = measure(args)
    print(f"{args.threads} threads, medians of {args.rounds}; x: quicker than the default\n")
    print("| work | policy | alone, ms | beside busy loops, ms |")
    print("|---|---|---|---|")
    for name in WORK:
        for policy in args.policies:
            cells = []
            for busy in (False, True):
                seconds = found[name, busy, policy]
                cells.append(f"{1e3 * seconds:.0f} ({found[name, busy, 'default'] / seconds:.2f}x)")
            print("| " + " | ".join([name, policy, *cells]) + " |")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
