"""Write a trained model as a file that other programs run: ONNX, OpenVINO or TorchScript.

python tools/export.py CHECKPOINT --out exported
python tools/export.py CHECKPOINT --format onnx openvino --input uint8 --out exported
python tools/export.py CHECKPOINT --format openvino --precision int8 --calibration PHOTOS \
    --data my_shop/annotations.csv --out exported
python tools/export.py CHECKPOINT --for boxmot --out exported

A checkpoint that doesn't hold its configuration is given behind it: CONFIG CHECKPOINT. Every file
is compared with PyTorch at once. One that differs by too much is not kept, and the exit code is 1.
--data measures what the file is worth on labelled images, beside the same network in float32.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mmreid_ext.cli.errors import run_tool

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmreid_ext.export import Exported

FORMATS = ("onnx", "openvino", "torchscript")
TRACKERS = ("boxmot", "ultralytics", "strongsort", "deepsort")


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "model",
        nargs="+",
        metavar="[CONFIG] CHECKPOINT",
        help="a trained model (with its configuration, if it doesn't hold one)",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write to")
    parser.add_argument(
        "--for",
        dest="tracker",
        choices=TRACKERS,
        help="write what this tracker needs, side-car files included, and say how to use it",
    )
    parser.add_argument("--format", nargs="+", choices=FORMATS, help="formats (default: onnx)")
    parser.add_argument(
        "--input",
        choices=("normalized", "rgb01", "uint8"),
        help="what the file takes: N x 3 x H x W floats with mean and deviation applied "
        "(normalized, the default), N x 3 x H x W RGB in 0..1 (rgb01), or N x H x W x 3 RGB bytes "
        "(uint8)",
    )
    parser.add_argument(
        "--exporter",
        choices=("torchscript", "dynamo"),
        default="torchscript",
        help="what makes the ONNX graph (default: torchscript; dynamo is far slower)",
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16", "int8"),
        default="fp32",
        help="fp16: weights of 16 bits, half the size; int8: weights and activations of 8 bits, "
        "quantised by NNCF (default: fp32)",
    )
    parser.add_argument(
        "--calibration",
        metavar="FOLDER",
        help="pictures to compare with and to quantise with (default: drawn people)",
    )
    parser.add_argument(
        "--data",
        metavar="TARGET",
        help="labelled images to measure with: configuration (.py), list (.csv) or folder",
    )
    parser.add_argument("--batch", type=int, metavar="N", help="fix the number of images per call")
    parser.add_argument("--name", help="name of the files without its ending (default: model)")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    parser.add_argument("--verbose", action="store_true", help="show what the exporters say")
    args = parser.parse_args()
    if len(args.model) > 2:
        parser.error("give CHECKPOINT, or CONFIG CHECKPOINT")
    *config, args.checkpoint = args.model
    args.config = config[0] if config else None
    return args


def run(args: argparse.Namespace) -> None:
    from mmreid_ext.export.plan import ExportPlan

    plan = ExportPlan(
        folder=args.out,
        precision=args.precision,
        exporter=args.exporter,
        batch=args.batch,
        name=args.name,
        overwrite=args.overwrite,
    )
    if args.tracker is None:
        formats = tuple(dict.fromkeys(args.format or ["onnx"]))
        plan = replace(plan, formats=formats, input=args.input or "normalized")
    else:
        from mmreid_ext.export.trackers import fit_plan

        plan = fit_plan(args.tracker, plan, args.format, args.input)
    plan.require_free()

    from mmreid_ext.cli.screen.embedding_progress import EmbeddingProgress
    from mmreid_ext.export import export_model
    from mmreid_ext.export.accuracy.labelled_set import labelled_sets

    data = [] if args.data is None else labelled_sets(args.data)
    progress = EmbeddingProgress(0)

    def say(line: str) -> None:
        progress.end()
        print(line, flush=True)

    def show(done: int, total: int) -> None:
        if done == 0:
            progress.restart()
        else:
            progress(done, total)

    written = export_model(
        args.config,
        args.checkpoint,
        plan,
        calibration=args.calibration,
        data=data,
        say=say,
        progress=show,
        verbose=args.verbose,
    )
    for one in written:
        for file in one.files:
            print(f"Written: {file}")
    if args.tracker is not None:
        show_use(args.tracker, written, args.batch)


def show_use(tracker: str, written: list[Exported], batch: int | None) -> None:
    """Say how the tracker gets each file."""
    from mmreid_ext.export.trackers.advice import how_to_use
    from mmreid_ext.export.trackers.cost import view_cost

    for one in written:
        print()
        cost = view_cost(tracker, one.format, one.file, batch)
        for line in how_to_use(tracker, one.file, cost):
            print(line)


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
