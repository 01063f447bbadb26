#!/usr/bin/env python
"""Make synthetic pedestrians: no download, the same files for the same seed.

python tools/make_synthetic.py --out data/synthetic     # domains, as data sets
python tools/make_synthetic.py --video data/walk        # one video with boxes and identities
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mmreid_ext.cli.errors import run_tool

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmengine.utils import ProgressBar


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", help="folder to make, one domain_<d> in it per domain")
    what.add_argument(
        "--video",
        metavar="DIR",
        help="folder to make, with img1/, det/det.txt and gt/gt.txt as in MOTChallenge",
    )
    parser.add_argument("--domains", type=int, default=5, help="number of domains")
    parser.add_argument(
        "--ids", type=int, default=100, help="identities per domain, half for testing"
    )
    parser.add_argument("--images-per-camera", type=int, default=2, help="per identity and camera")
    parser.add_argument("--cameras", type=int, default=4, help="cameras per domain")
    parser.add_argument(
        "--size",
        type=int,
        nargs=2,
        metavar=("HEIGHT", "WIDTH"),
        help="of the images (128 64), or of the frames of a video (360 640)",
    )
    parser.add_argument("--people", type=int, default=12, help="people in a video")
    parser.add_argument("--frames", type=int, default=300, help="frames of a video")
    parser.add_argument("--domain", type=int, default=0, help="whose world a video shows")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    import cv2

    cv2.setNumThreads(1)  # images are small: threads only wait for one another
    progress = Progress()
    start = time.perf_counter()
    out = (make_domains if args.video is None else make_video)(args, progress)
    if progress.bar is None:
        print(f"{out} is there already, with the same settings")
        return
    total, seconds = progress.bar.completed, time.perf_counter() - start
    print(f"\n{total} images in {out}, {seconds:.1f} s, {total / seconds:.0f} images/s")


class Progress:
    """Shows how far the drawing is; ``bar`` is None before it begins."""

    def __init__(self) -> None:
        self.bar: ProgressBar | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` images are drawn."""
        if self.bar is None:
            from mmengine.utils import ProgressBar

            # A bar redraws its line; in a log file that would be one endless line.
            self.bar = ProgressBar(total, start=sys.stdout.isatty())
        if sys.stdout.isatty():
            self.bar.update(done - self.bar.completed)
        else:
            if done * 10 // total > self.bar.completed * 10 // total:
                print(f"{done}/{total} images", flush=True)
            self.bar.completed = done


def make_domains(args: argparse.Namespace, progress: Progress) -> Path:
    from mmreid_ext.datasets.synthetic import make_synthetic_domains

    return make_synthetic_domains(
        args.out,
        args.domains,
        args.ids,
        images_per_camera=args.images_per_camera,
        num_cameras=args.cameras,
        size=tuple(args.size or (128, 64)),
        seed=args.seed,
        progress=progress,
    )


def make_video(args: argparse.Namespace, progress: Progress) -> Path:
    from mmreid_ext.datasets.synthetic import make_synthetic_video

    return make_synthetic_video(
        args.video,
        args.people,
        args.frames,
        size=tuple(args.size or (360, 640)),
        domain=args.domain,
        seed=args.seed,
        progress=progress,
    )


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
