"""Time every loss, forward and backward, against one B x B x D matrix product.

Example::

    python tools/benchmarks/losses.py --batch-sizes 96 256 1024 --feat-dim 2048
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.models import losses


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[96, 256, 1024])
    parser.add_argument("--feat-dim", type=int, default=2048)
    parser.add_argument("--num-classes", type=int, default=751)
    parser.add_argument("--num-instances", type=int, default=4, help="images per identity")
    parser.add_argument("--memory-size", type=int, default=0, help="rows of XBM (0: leave it out)")
    parser.add_argument("--repeats", type=int, default=7, help="runs of which the median is shown")
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def milliseconds(step: Callable[[], object], repeats: int, device: str) -> float:
    def timed() -> float:
        start = time.perf_counter()
        step()
        if device != "cpu":
            torch.cuda.synchronize()
        return 1e3 * (time.perf_counter() - start)

    timed()  # warm-up
    return statistics.median(timed() for _ in range(repeats))


def make_losses(args: argparse.Namespace) -> dict[str, torch.nn.Module]:
    made = {
        "BatchHardTripletLoss": losses.BatchHardTripletLoss(),
        "CenterLoss": losses.CenterLoss(args.num_classes, args.feat_dim),
        "CircleLoss": losses.CircleLoss(),
        "ContrastiveLoss": losses.ContrastiveLoss(),
        "DomainScatterLoss": losses.DomainScatterLoss(),
        "DomainShuffleLoss": losses.DomainShuffleLoss(),
        "EMLLoss": losses.EMLLoss(),
        "MarginSampleMiningLoss": losses.MarginSampleMiningLoss(),
        "MultiSimilarityLoss": losses.MultiSimilarityLoss(),
        "NPairsLoss": losses.NPairsLoss(),
        "TripletMarginLoss": losses.TripletMarginLoss(),
    }
    if args.memory_size:
        made["CrossBatchMemory"] = losses.CrossBatchMemory(
            losses.ContrastiveLoss(), args.memory_size, args.feat_dim, start_iter=0
        )
    return {name: loss.to(args.device) for name, loss in made.items()}


def total(value: Tensor | dict[str, Tensor]) -> Tensor:
    return sum(value.values()) if isinstance(value, dict) else value


def fill(memory: losses.CrossBatchMemory, pids: Tensor) -> None:
    feat_dim = memory.memory_feats.shape[1]
    with torch.no_grad():
        for _ in range(len(memory.memory_pids) // len(pids) + 1):
            memory(torch.randn(len(pids), feat_dim, device=pids.device), pids)


def measure(args: argparse.Namespace, batch_size: int) -> None:
    torch.manual_seed(0)
    feats = torch.randn(batch_size, args.feat_dim, device=args.device, requires_grad=True)
    pids = torch.arange(batch_size, device=args.device) // args.num_instances % args.num_classes
    domains = pids % 6
    with torch.no_grad():
        product = milliseconds(lambda: feats @ feats.t(), args.repeats, args.device)
    print(f"B = {batch_size}, D = {args.feat_dim}: one product {product:.3f} ms")
    print(f"{'loss':<24}{'forward ms':>12}{'+ backward ms':>15}{'ratio':>8}")
    for name, loss in make_losses(args).items():
        labels = {
            "DomainScatterLoss": (domains,),
            "DomainShuffleLoss": (pids, domains),
        }.get(name, (pids,))
        if name == "CrossBatchMemory":
            fill(loss, pids)

        def forward(loss=loss, labels=labels) -> Tensor:
            return total(loss(feats, *labels))

        def forward_backward(forward=forward) -> None:
            torch.autograd.grad(forward(), feats)

        once = milliseconds(forward, args.repeats, args.device)
        both = milliseconds(forward_backward, args.repeats, args.device)
        print(f"{name:<24}{once:>12.3f}{both:>15.3f}{both / product:>8.2f}")


def run(args: argparse.Namespace) -> None:
    print(f"torch {torch.__version__}, {args.device}, {torch.get_num_threads()} thread(s)")
    for batch_size in args.batch_sizes:
        measure(args, batch_size)


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
