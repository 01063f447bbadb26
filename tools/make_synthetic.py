#!/usr/bin/env python
"""Make the synthetic pedestrian domains: no download, the same files for the same seed."""

from __future__ import annotations

import argparse
import sys
import time

import cv2
from mmengine.utils import ProgressBar

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.datasets.synthetic import make_synthetic_domains


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", required=True, help="folder to make, one domain_<d> in it per domain"
    )
    parser.add_argument("--domains", type=int, default=5, help="number of domains")
    parser.add_argument(
        "--ids", type=int, default=100, help="identities per domain, half for testing"
    )
    parser.add_argument("--images-per-camera", type=int, default=2, help="per identity and camera")
    parser.add_argument("--cameras", type=int, default=4, help="cameras per domain")
    parser.add_argument("--size", type=int, nargs=2, default=(128, 64), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    cv2.setNumThreads(1)  # images are small: threads only wait for one another
    bars: list[ProgressBar] = []

    def progress(done: int, total: int) -> None:
        if not bars:
            # A bar redraws its line; in a log file that would be one endless line.
            bars.append(ProgressBar(total, start=sys.stdout.isatty()))
        if sys.stdout.isatty():
            bars[0].update(done - bars[0].completed)
        else:
            if done * 10 // total > bars[0].completed * 10 // total:
                print(f"{done}/{total} images", flush=True)
            bars[0].completed = done

    start = time.perf_counter()
    out = make_synthetic_domains(
        args.out,
        args.domains,
        args.ids,
        images_per_camera=args.images_per_camera,
        num_cameras=args.cameras,
        size=tuple(args.size),
        seed=args.seed,
        progress=progress,
    )
    if not bars:
        print(f"{out} is there already, with the same settings")
        return
    total, seconds = bars[0].completed, time.perf_counter() - start
    print(f"\n{total} images in {out}, {seconds:.1f} s, {total / seconds:.0f} images/s")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
