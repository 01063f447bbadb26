"""Convert a checkpoint of another program into one of ours, which every tool takes as it is.

python tools/convert.py model_final.pth --from fastreid --out fastreid.pth
python tools/convert.py osnet_x0_25_msmt17.pth --out osnet.pth              # the program is guessed
python tools/convert.py latest.pdparams --config metabin_r50 --out ours.pth

The file is data: nothing in it is executed. Weights that have no place in our network, and places
without a weight, are listed, and nothing is written; --partial passes over them, for a file to
train on. The result says how to use it: size, mean and standard deviation, colours, interpolation,
and which feature is compared.
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
    parser.add_argument("file", help="checkpoint of another program: .pth, .pdparams, .safetensors")
    parser.add_argument(
        "--from",
        dest="source",
        metavar="PROGRAM",
        help="paddleclas, fastreid, metabin, strong-baseline, torchreid, transreid, clip-reid, "
        "solider, torchvision or timm (default: guessed by the names of the weights)",
    )
    parser.add_argument(
        "--config",
        help="configuration that computes what the file's network does, a file or the name of one "
        "of ours (default: one of configs/migrated/, chosen by the weights)",
    )
    parser.add_argument("--out", required=True, type=Path, help="checkpoint to write")
    parser.add_argument(
        "--partial",
        action="store_true",
        help="pass over weights without a place, and places without a weight",
    )
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    require_writable(args.out, "--out")
    if args.out.exists() and Path(args.file).exists() and args.out.samefile(args.file):
        raise UserError(f"--out {args.out}: this is the file to convert; name another.")

    from mmreid_ext.apis.conversion import convert_checkpoint
    from mmreid_ext.apis.conversion.report import report_lines

    done = convert_checkpoint(args.file, args.out, args.source, args.config, args.partial)
    for line in report_lines(done, args.file, args.out):
        print(line)


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
