"""Make a data set and a configuration of your own pictures.

python tools/prepare_folder.py PHOTOS --out DIR
python tools/prepare_folder.py list.xlsx --out DIR --test-share 0.5
python tools/prepare_folder.py MOT17-02 --out DIR --every 10

PHOTOS is a folder with one folder per person (lea/1.jpg), with names (lea_1.jpg), or with a folder
per person and camera (lea/door/1.jpg); a CSV or Excel table with a column of paths and one of
people; tracks in MOT's text format; or COCO JSON. Pictures stay where they are. DIR gets
annotations.csv and config.py.
"""

import argparse
import os
import sys
from pathlib import Path

from mmreid_ext.cli.errors import run_tool

LAYOUTS = ("folders", "folders-cameras", "cameras-folders", "names", "table", "mot", "coco")
FEW_FILES = 500  # are looked at in a second: no progress is shown


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, metavar="PHOTOS", help="folder or file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument(
        "--layout", choices=LAYOUTS, help="how the pictures are arranged (default: as it looks)"
    )
    parser.add_argument(
        "--frames", type=Path, help="folder of the pictures that a table, MOT or COCO file names"
    )
    parser.add_argument(
        "--model",
        choices=["r18", "r50"],
        default="r18",
        help="r18: ResNet-18 at 128 x 64, also for CPUs (default); r50: ResNet-50 at 256 x 128",
    )
    parser.add_argument(
        "--from-scratch",
        action="store_true",
        help="train without ImageNet weights, so without a download",
    )
    parser.add_argument(
        "--test-share",
        type=float,
        default=0.3,
        help="share of the people to test on (default: 0.3); 0 trains on everybody",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split (default: 0)")
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="of tracks, use every N-th frame"
    )
    parser.add_argument(
        "--copy-crops", action="store_true", help="write boxes as pictures of their own"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace annotations.csv and config.py of DIR"
    )
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    import torch  # heavy; --help stays quick

    from mmreid_ext.apis.configuration import find_config
    from mmreid_ext.datasets.own_images.prepare import Options, prepare
    from mmreid_ext.datasets.own_images.report import report

    options = Options(**{key: value for key, value in vars(args).items() if key != "photos"})
    prepared = prepare(args.photos, options, find_config, show_progress)
    tools = os.path.relpath(Path(__file__).resolve().parent)
    print(report(prepared, torch.cuda.is_available(), Path(tools).as_posix()))


def show_progress(done: int, total: int) -> None:
    """Say on one line of a terminal, or every tenth in a file, how far it is."""
    if total < FEW_FILES:
        return
    if sys.stderr.isatty():
        end = "\r" if done < total else "\n"
        print(f"looked at {done} of {total} files", end=end, file=sys.stderr, flush=True)
    elif done * 10 // total > (done - 1) * 10 // total:
        print(f"looked at {done} of {total} files", file=sys.stderr, flush=True)


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
