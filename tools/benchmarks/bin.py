"""Batch-instance normalisation against batch norm: forward + backward time and kept memory.

Three candidates run in turn, in training mode: ``F.batch_norm``; the mix of two branches as it is
published, written out below; and ``mmreid_ext.models.norms.BatchInstanceNorm2d``.

Example::

    python tools/benchmarks/bin.py --threads 2
    python tools/benchmarks/bin.py --device cuda --dtypes float32 float16 bfloat16
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
import torch.nn.functional as F
from timing import CLOCKS, how, kept_for_backward, machine, medians
from torch import Tensor

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.freed_memory import keep_freed_memory
from mmreid_ext.models.norms import BatchInstanceNorm2d

SHAPES = ["64x128x64", "256x64x32", "512x32x16", "2048x16x8"]
FORMATS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shapes", nargs="+", default=SHAPES, metavar="CxHxW")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, help="default: PyTorch's")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="ours under torch.compile")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: on a busy machine")
    return parser.parse_args()


def two_branches(layer: BatchInstanceNorm2d, x: Tensor) -> Tensor:
    """The published composition."""
    gate = layer.gate[:, None, None]
    batch = F.batch_norm(
        x, layer.running_mean, layer.running_var, layer.weight, layer.bias, True, 0.1, layer.eps
    )
    instance = F.instance_norm(x, weight=layer.in_weight, bias=layer.in_bias, eps=layer.eps)
    return batch * gate + instance * (1 - gate)


def candidates(x: Tensor, compiled: bool) -> dict[str, Callable[[], Tensor]]:
    layer = BatchInstanceNorm2d(x.shape[1]).to(x.device)
    torch.nn.init.uniform_(layer.gate)
    ours = torch.compile(layer) if compiled else layer
    stats = layer.running_mean.clone(), layer.running_var.clone()
    half = x.dtype != torch.float32
    # PyTorch wants instance norm's parameters in the precision of its input.
    branches = BatchInstanceNorm2d(x.shape[1]).to(x) if half else layer
    return {
        "batch norm": lambda: F.batch_norm(x, *stats, layer.weight, layer.bias, True),
        "two branches": lambda: two_branches(branches, x),
        "ours": lambda: ours(x),
    }


def measure(shape: str, dtype: str, memory_format: str, args: argparse.Namespace) -> str:
    size = (args.batch_size, *map(int, shape.split("x")))
    generator = torch.Generator().manual_seed(0)
    x, grad = (
        torch.randn(size, generator=generator)
        .to(args.device, getattr(torch, dtype))
        .to(memory_format=FORMATS[memory_format])
        for _ in range(2)
    )
    x.requires_grad_()
    forwards = candidates(x, args.compile)

    def step(forward: Callable[[], Tensor]) -> Callable[[], None]:
        def run() -> None:
            forward().backward(grad)
            x.grad = None

        return run

    times = medians(
        {k: step(f) for k, f in forwards.items()}, args.repeats, args.device, args.clock
    )
    kept = {name: kept_for_backward(forward) for name, forward in forwards.items()}
    base, base_kept = times["batch norm"], kept["batch norm"]
    cells = [memory_format, dtype, shape, f"{1e3 * base:.1f}"]
    cells += [f"{1e3 * times[k]:.1f} ({times[k] / base:.2f}x)" for k in ("two branches", "ours")]
    cells += [f"{kept[k] / base_kept:.2f}x" for k in ("two branches", "ours")]
    return "| " + " | ".join(cells) + " |"


def run(args: argparse.Namespace) -> None:
    if args.threads:
        torch.set_num_threads(args.threads)
    keep_freed_memory()  # as training does
    print(f"{machine(args.device)}; batch {args.batch_size}, {how(args.repeats, args.clock)}\n")
    print("| layout | dtype | shape | batch norm, ms | two branches | ours | kept: two | ours |")
    print("|---|---|---|---|---|---|---|---|")
    for memory_format in args.formats:
        for dtype in args.dtypes:
            for shape in args.shapes:
                print(measure(shape, dtype, memory_format, args), flush=True)


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
