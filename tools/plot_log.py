"""Draw the curves of trainings: losses, learning rates, and what validations have found.

python tools/plot_log.py work_dirs/metabin_r18_synthetic
python tools/plot_log.py work_dirs/metabin work_dirs/bn --keys loss mAP R1 --out curves.png
python tools/plot_log.py work_dirs/metabin --list                 # what was logged
python tools/plot_log.py work_dirs/metabin --keys "gate/*/mean"   # one panel per word

A folder with seed_0, seed_1, … (of tools/train_seeds.py) becomes the mean of its seeds and a band
from the lowest to the highest. Resumed runs are put together.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="work folder, folder of seeds, or file scalars.json; one curve each",
    )
    parser.add_argument(
        "--keys",
        nargs="+",
        help="values to draw, one panel each: a whole name, its last part (mAP), or a pattern "
        "('loss_*'); default: loss, lr, mAP, R1",
    )
    parser.add_argument(
        "--names", nargs="+", help="what the legend calls the runs (default: their folders' names)"
    )
    parser.add_argument("--out", help="picture to write (default: curves.png in the first folder)")
    parser.add_argument("--list", action="store_true", help="print what was logged, draw nothing")
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    first = Path(args.runs[0])
    out = Path(args.out or (first if first.is_dir() else first.parent) / "curves.png")
    if not args.list:
        require_writable(out, "--out")
    if args.names and len(args.names) != len(args.runs):
        raise UserError(
            f"--names: {len(args.names)} names for {len(args.runs)} runs; give one for each."
        )

    from mmreid_ext.visualization.run_logs import plot_runs
    from mmreid_ext.visualization.run_logs.curves import summary
    from mmreid_ext.visualization.run_logs.seeds import read_group

    groups = [read_group(name) for name in args.runs]
    if args.names:
        groups = [group._replace(name=name) for group, name in zip(groups, args.names, strict=True)]
    lost = sum(log.unreadable for group in groups for log in group.runs)
    if lost:
        print(f"Note: {lost} lines can't be read and are left out")
    if args.list:
        for key, text in summary(groups).items():
            print(f"{key}: {text}")
        return
    plot_runs(groups, args.keys, out)
    print(f"Written: {out}")


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
