"""What checkpoints and the log's history cost a training.

Example::

    python tools/benchmarks/checkpoints.py --threads 1
    python tools/benchmarks/checkpoints.py --device cuda --image-size 256 128 --batch-size 64

The first table is one run of a re-ID network with Adam, whose checkpoints are written in the
foreground and in the background by turns: how long the training stands still for one, how much
longer the iterations beside the writing take, and how long a write takes. The second is the log
alone: one iteration with as many values as MetaBIN logs, at the end of a long run, and the bytes of
its history in a checkpoint; with MMEngine's history, and with ours.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from typing import Any

import numpy as np
import torch
from mmengine.hooks import CheckpointHook, Hook
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import Runner
from timing import machine
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmreid_ext.checkpoint import to_plain
from mmreid_ext.checkpoint.log_history import Dropped, restore_forgotten
from mmreid_ext.checkpoint.saving.settings import Settings
from mmreid_ext.cli.errors import run_tool
from mmreid_ext.compat import enable_safe_checkpoints

WINDOW, SHOWN_EVERY = 10, 50


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--depth", type=int, default=50, help="of the ResNet")
    parser.add_argument("--image-size", type=int, nargs=2, default=[128, 64], help="height, width")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--interval", type=int, default=15, help="iterations between checkpoints")
    parser.add_argument("--checkpoints", type=int, default=5, help="of each kind")
    parser.add_argument("--values", type=int, default=31, help="logged in each iteration")
    parser.add_argument("--iterations", type=int, default=120_000, help="of the log")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


class Network(nn.Module):
    """A ResNet of MMPretrain with a classifier, without what a re-ID head adds to a step."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        from mmpretrain.models import ResNet

        self.backbone = ResNet(depth, norm_cfg=dict(type="BN"))
        self.classifier = nn.Linear(2048 if depth >= 50 else 512, 751)

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, torch.Tensor]:
        """Make a step of the optimiser."""
        device = self.classifier.weight.device
        features = self.backbone(data.to(device))[0].mean((2, 3))
        loss = nn.functional.cross_entropy(
            self.classifier(features), torch.zeros(len(data), dtype=torch.long, device=device)
        )
        optim_wrapper.update_params(loss)
        return dict(loss=loss.detach())


class Images(Dataset):
    """The same picture, as often as it is asked for."""

    metainfo: dict = {}

    def __init__(self, size: tuple[int, int], number: int) -> None:
        self.image, self.number = torch.randn(3, *size), number

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.image


class Alternate(Hook):
    """Let every other checkpoint be written in the background, and take the times."""

    priority = "HIGHEST"

    def __init__(self, interval: int) -> None:
        self.interval, self.begun = interval, 0.0
        self.stood: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
        self.steps: dict[str, list[float]] = {"beside": [], "alone": []}

    def after_run_iter(self, hook: CheckpointHook, done: int, wall: float, cpu: float) -> None:
        """Note how long the checkpoint hook took after an iteration."""
        if done % self.interval == 0:
            self.stood[hook.saving.background].append((wall, cpu))

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Choose how the next checkpoint is written."""
        (hook,) = (h for h in runner.hooks if isinstance(h, CheckpointHook))
        hook.saving = Settings(background=(runner.iter // self.interval) % 2 == 1)
        from mmreid_ext.checkpoint.saving import outcome

        self.beside = outcome._writer.busy
        self.begun = time.perf_counter()

    def after_train_iter(self, *_: Any, **__: Any) -> None:
        """Note how long the step took."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        kind = "beside" if self.beside else "alone"
        self.steps[kind].append(time.perf_counter() - self.begun)


def train(args: argparse.Namespace, folder: str) -> Alternate:
    """Run the training of the first table."""
    iterations = 2 * args.checkpoints * args.interval + args.interval
    loader = DataLoader(
        Images(tuple(args.image_size), iterations * args.batch_size), args.batch_size
    )
    runner = Runner(
        model=Network(args.depth).to(args.device),
        work_dir=folder,
        train_dataloader=loader,
        train_cfg=dict(type="IterBasedTrainLoop", max_iters=iterations),
        optim_wrapper=dict(optimizer=dict(type="Adam", lr=1e-4)),
        default_hooks=dict(
            checkpoint=dict(
                type="CheckpointHook", by_epoch=False, interval=args.interval, max_keep_ckpts=2
            ),
            logger=None,
        ),
        log_level="ERROR",
    )
    alternate = Alternate(args.interval)
    runner.register_hook(alternate)
    (hook,) = (h for h in runner.hooks if isinstance(h, CheckpointHook))
    save = hook.after_train_iter

    def timed(runner: Runner, *rest: Any, **more: Any) -> None:
        begun, begun_cpu = time.perf_counter(), time.thread_time()
        save(runner, *rest, **more)
        wall, cpu = time.perf_counter() - begun, time.thread_time() - begun_cpu
        alternate.after_run_iter(hook, runner.iter + 1, wall, cpu)

    hook.after_train_iter = timed
    runner.train()
    return alternate


def time_log(args: argparse.Namespace, ours: bool) -> tuple[float, int]:
    """CPU seconds of an iteration's log at the end of a run, and bytes in a checkpoint."""
    rng = np.random.default_rng(0)
    hub = MessageHub(f"log{ours}")
    for number in range(args.values):
        buffer = HistoryBuffer(rng.normal(size=args.iterations), np.ones(args.iterations))
        hub.log_scalars[f"train/loss_{number}"] = buffer
        if ours:
            buffer.update(0.0)  # as in a run that has come so far
        else:
            restore_forgotten(buffer, Dropped(), 2**40)
            buffer._longest_window = 2**40  # nothing is dropped
    repeats = 4 * SHOWN_EVERY
    begun = time.process_time()
    for iteration in range(repeats):
        for buffer in hub.log_scalars.values():
            buffer.update(0.5)
        if iteration % SHOWN_EVERY == 0:
            for buffer in hub.log_scalars.values():
                buffer.mean(WINDOW)
    seconds = (time.process_time() - begun) / repeats
    file = io.BytesIO()
    torch.save(to_plain(hub.state_dict() if hub._resumed_keys else dict(hub.log_scalars)), file)
    return seconds, len(file.getvalue())


def run(args: argparse.Namespace) -> int:
    """Print both tables."""
    enable_safe_checkpoints()
    torch.set_num_threads(args.threads)
    print(machine(args.device))
    with tempfile.TemporaryDirectory() as folder:
        times = train(args, folder)
    alone, beside = (statistics.median(times.steps[kind]) for kind in ("alone", "beside"))
    print(
        f"\nResNet-{args.depth}, Adam; an iteration: {alone:.3f} s, {beside:.3f} s beside a write"
    )
    print("| checkpoint | training stands still | longest | its CPU time |\n|---|---|---|---|")
    for background, name in ((False, "foreground"), (True, "background")):
        wall, cpu = zip(*times.stood[background], strict=True)
        middle = f"{statistics.median(wall):.3f} s | {max(wall):.3f} s"
        print(f"| {name} | {middle} | {statistics.median(cpu):.3f} s |")
    print(f"\nlog of {args.values} values after {args.iterations} iterations")
    print("| history | CPU time per iteration | bytes in a checkpoint |\n|---|---|---|")
    for name, ours in (("MMEngine's", False), ("ours", True)):
        seconds, size = time_log(args, ours)
        print(f"| {name} | {1e3 * seconds:.2f} ms | {size / 1e6:.2f} MB |")
    return 0


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
