"""One iteration of MetaBIN: time and peak memory of several ways to compute it, in one run.

* published: batch norm and instance norm side by side, mixed by the gates, and three passes with a
  full backward each (gradients of all weights, thrown away after the two meta passes);
* ours, in several settings;
* base step, batch norm: the ordinary training step of the same network with plain batch norm;
* floor: forward and backward of the convolutions alone, at the shapes of our three passes (without
  weight gradients in the meta passes).

Batches are random images in memory: loading is not part of it (see loader.py).

Example::

    python tools/benchmarks/metabin_step.py --threads 2
    python tools/benchmarks/metabin_step.py --device cuda --batch-size 96 --instances 4 --compile
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from multiprocessing import get_context

import metabin_candidates as candidates
import torch
from timing import CLOCKS, how, machine, medians, peak_bytes

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.freed_memory import keep_freed_memory


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--depth", type=int, default=50, help="of the ResNet")
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=24, help="of base and of meta batch")
    parser.add_argument("--instances", type=int, default=2, help="images per identity")
    parser.add_argument("--domains", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=5, help="0: memory only")
    parser.add_argument("--threads", type=int, help="default: PyTorch's")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="also under torch.compile")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="candidates to run")
    parser.add_argument("--no-memory", action="store_true", help="time only")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: on a busy machine")
    return parser.parse_args()


def build(name: str, args: argparse.Namespace) -> Callable[[], object]:
    torch.manual_seed(0)
    return candidates.CANDIDATES[name](args)


def peak_of(name: str, args: argparse.Namespace) -> int:
    """Peak bytes of building a candidate and running it twice; for a process of its own."""
    if args.threads:
        torch.set_num_threads(args.threads)

    def run() -> None:
        step = build(name, args)
        step()
        step()  # the second one has the optimiser's state

    return peak_bytes(run, args.device)


def chosen(args: argparse.Namespace) -> list[str]:
    names = list(candidates.CANDIDATES)
    if not args.compile:
        names = [name for name in names if "compile" not in name]
    if args.only:
        names = [name for name in candidates.CANDIDATES if name in args.only]
    return names


def run(args: argparse.Namespace) -> None:
    if args.threads:
        torch.set_num_threads(args.threads)
    names = chosen(args)
    peaks = {}
    if not args.no_memory:
        for name in names:
            with get_context("spawn").Pool(1) as pool:  # memory once used is never given back
                peaks[name] = pool.apply(peak_of, (name, args))
    keep_freed_memory()  # as training does
    times = dict.fromkeys(names, float("nan"))
    if args.repeats:
        steps = {name: build(name, args) for name in names}
        times = medians(steps, args.repeats, args.device, args.clock)
    size = f"{args.batch_size} + {args.batch_size} images, {args.height} x {args.width}"
    print(f"{machine(args.device)}; ResNet-{args.depth}, {size}, {how(args.repeats, args.clock)}\n")
    print("| | s per iteration | published / this | this / floor | peak GB | of published |")
    print("|---|---|---|---|---|---|")
    first, floor = times.get("published"), times.get("floor")
    for name, seconds in times.items():
        cells = [name, f"{seconds:.3f}"]
        cells += [f"{first / seconds:.2f}" if first else "-"]
        cells += [f"{seconds / floor:.2f}" if floor else "-"]
        peak, reference = peaks.get(name), peaks.get("published")
        cells += [f"{peak / 1e9:.2f}" if peak else "-"]
        cells += [f"{peak / reference:.2f}" if peak and reference else "-"]
        print("| " + " | ".join(cells) + " |")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
