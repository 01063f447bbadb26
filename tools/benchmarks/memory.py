"""Cost of a full cross-batch memory in a training step: the same step with and without it.

Example::

    python tools/benchmarks/memory.py --threads 2    # ResNet-50, 224 x 224, batch 64
    python tools/benchmarks/memory.py --depth 18 --image-size 64 --memory-sizes 2720 55000

A step is forward, losses, backward and Adam. The rows alternate within one run; the times are
medians, the ratios those of the medians. `alone` is the memory's loss on given embeddings, forward
and backward, for steps that take too long to show it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from timing import machine, medians

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.models import ReIDModel
from mmreid_ext.models.losses import CrossBatchMemory
from mmreid_ext.registry import MODELS

CONFIG = Path(__file__).parents[2] / "configs" / "xbm_r50_sop.py"
NUM_CLASSES, NUM_INSTANCES = 11318, 4  # of Stanford Online Products


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--memory-sizes", type=int, nargs="+", default=[55000])
    parser.add_argument("--depth", type=int, default=50, help="of the ResNet")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def build(args: argparse.Namespace, memory_size: int) -> ReIDModel:
    """The configuration's model; contrastive loss in the batch alone for ``memory_size=0``."""
    cfg = Config.fromfile(CONFIG).model
    cfg.backbone.update(depth=args.depth, init_cfg=None)
    cfg.head.in_channels = 2048 if args.depth >= 50 else 512
    memory = cfg.head.losses.xbm
    if memory_size:
        memory.update(memory_size=memory_size, start_iter=0)
    else:
        cfg.head.losses = dict(contrastive=memory.loss)
    model = MODELS.build(cfg).to(args.device).train()
    if memory_size:
        fill(model.head.losses["xbm"])
    return model


def fill(memory: CrossBatchMemory) -> None:
    """Random embeddings in every row, as if training had gone on for long."""
    state = memory.state_dict()
    size, feat_dim = state["memory_feats"].shape
    state["memory_feats"] = torch.randn(size, feat_dim)
    state["memory_pids"] = torch.arange(size) % NUM_CLASSES
    state["fill"] = torch.tensor(size)
    memory.load_state_dict(state)


def training_step(model: ReIDModel, args: argparse.Namespace) -> Callable[[], None]:
    images = torch.randn(args.batch_size, 3, args.image_size, args.image_size, device=args.device)
    pids = torch.arange(args.batch_size, device=args.device) // NUM_INSTANCES
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, weight_decay=5e-4)

    def step() -> None:
        losses = model.head.loss(model.extract(images), pids, torch.zeros_like(pids))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()

    return step


def loss_alone(memory: CrossBatchMemory, args: argparse.Namespace) -> Callable[[], None]:
    feats = torch.randn(args.batch_size, memory.memory_feats.shape[1], device=args.device)
    feats.requires_grad_()
    pids = torch.arange(args.batch_size, device=args.device) // NUM_INSTANCES
    return lambda: torch.autograd.grad(sum(memory(feats, pids).values()), feats)


def run(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    init_default_scope("mmpretrain")
    print(machine(args.device))
    print(
        f"ResNet-{args.depth}, {args.image_size} x {args.image_size}, batch {args.batch_size}, "
        f"median of {args.repeats}"
    )
    models = {size: build(args, size) for size in [0, *args.memory_sizes]}
    steps = {f"step, memory {size}": training_step(m, args) for size, m in models.items()}
    for size in args.memory_sizes:
        steps[f"alone, memory {size}"] = loss_alone(models[size].head.losses["xbm"], args)
    seconds = medians(steps, args.repeats, args.device)
    base = seconds["step, memory 0"]
    for name, value in seconds.items():
        print(f"{name:<24}{1e3 * value:>12.1f} ms{value / base:>9.3f}")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
