"""Draw the gates of batch-instance norms: how much of each layer is batch norm.

python tools/visualize_gates.py work_dirs/metabin_r18_synthetic/iter_300.pth
python tools/visualize_gates.py work_dirs/metabin_r18_synthetic --out gates.svg --data gates.csv

A checkpoint gives one panel: mean and spread over the channels of every layer. A work folder adds a
map of layers and time, from its checkpoints. If there is only one checkpoint left, or with --log,
the map shows the mean gates by stage that the training has logged.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.output_files import require_writable

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmreid_ext.visualization.gates import Course, Gates


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="checkpoint, or work folder of a training")
    parser.add_argument(
        "--out", type=Path, help="picture to write, .png, .svg or .pdf (default: gates.png there)"
    )
    parser.add_argument(
        "--data", type=Path, help="numbers of every layer to write as well, .csv or .json"
    )
    parser.add_argument(
        "--log", action="store_true", help="draw the training from logged values, by stage"
    )
    return parser.parse_args()


def read(source: Path, from_log: bool) -> tuple[list[Gates], Course | None]:
    """Read the gates of a checkpoint, or of a training and its course."""
    from mmreid_ext.visualization.gates import read_gates, read_logged_course
    from mmreid_ext.visualization.gates.reading import numbered_checkpoints, read_course
    from mmreid_ext.visualization.run_logs import read_run_log

    if not source.is_dir():
        return [read_gates(source)], None
    if from_log:
        course = read_logged_course(read_run_log(source))
        try:
            return [read_gates(numbered_checkpoints(source)[-1])], course
        except MissingFileError:
            return [], course
    files = numbered_checkpoints(source)
    if len(files) > 1:
        return read_course(files)
    gates = [read_gates(files[0])]
    try:
        return gates, read_logged_course(read_run_log(source))
    except UserError:  # nothing was logged, or no gates
        return gates, None


def run(args: argparse.Namespace) -> None:
    from mmreid_ext.visualization.style import picture_format

    folder = args.source if args.source.is_dir() else args.source.parent
    out = args.out or folder / "gates.png"
    require_writable(out, "--out")
    require_writable(args.data, "--data")
    picture_format(out)

    from mmreid_ext.visualization.gates import plot_gates
    from mmreid_ext.visualization.gates.numbers import check_data_suffix, write_layer_rows

    if args.data:
        check_data_suffix(args.data)
    gates, course = read(args.source, args.log)
    if args.data and not gates:
        raise UserError(f"--data: {args.source} has no checkpoint; leave the option out.")
    plot_gates(gates[-1] if gates else None, course, out)
    print(f"Written: {out}")
    if args.data:
        write_layer_rows(args.data, gates)
        print(f"Written: {args.data}")


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
