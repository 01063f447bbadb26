"""Take the weights of an OSNet out of an ONNX file, as torchreid names them.

python tools/converters/unfold_onnx.py osnet_x0_25_msmt17.onnx --out osnet_x0_25_msmt17.pth

Exported files are often all that is left of a model. PyTorch's exporter folds a batch norm into the
convolution before it; here it becomes a batch norm that adds a bias alone. The result is converted
by tools/convert.py, and computes what the file computes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.output_files import require_writable
from mmreid_ext.output_files.atomic import atomic_open

EPS = 1e-5
"""What PyTorch adds to a variance."""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="ONNX file")
    parser.add_argument("--out", type=Path, required=True, help="state dictionary to write")
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    require_writable(args.out, "--out")
    if not args.file.is_file():
        raise MissingFileError(f"No file {args.file}.")

    import onnx
    import torch
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load(args.file).graph
    except DecodeError as error:
        raise UserError(f"{args.file} is damaged or no ONNX file ({error}).") from error
    stored = {one.name: onnx.numpy_helper.to_array(one).copy() for one in graph.initializer}
    state = dict(weights_of(graph, stored))
    if "conv1.conv.weight" not in state:
        raise UserError(f"{args.file} holds no OSNet whose layers have kept their names.")
    with atomic_open(args.out, "wb") as file:
        torch.save({name: torch.from_numpy(value) for name, value in state.items()}, file)
    print(f"Written: {args.out}, {len(state)} weights")
    print(f"next: python tools/convert.py {args.out} --out ours.pth")


def weights_of(graph: Any, stored: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the weights of a graph: those that kept their names, and those of folded layers."""
    import numpy as np

    for name, value in stored.items():
        if "::" not in name and value.ndim and not name.startswith("/"):
            yield name, value
    for node in graph.node:
        folded = [stored[name] for name in node.input if "::" in name and name in stored]
        if node.op_type != "Conv" or len(folded) != 2:
            continue
        layer = module_of(node.output[0])
        norm = f"{layer.rpartition('.')[0]}.bn"
        weight, bias = folded
        yield f"{layer}.weight", weight
        yield f"{norm}.weight", np.ones_like(bias)
        yield f"{norm}.bias", bias
        yield f"{norm}.running_mean", np.zeros_like(bias)
        yield f"{norm}.running_var", np.full_like(bias, 1 - EPS)


def module_of(output: str) -> str:
    """Return the module that computed a value: ``conv2.0.conv`` of ``/conv2/conv2.0/conv/Conv_…``.

    The children of a sequence repeat its name.
    """
    names: list[str] = []
    for scope in output.strip("/").split("/")[:-1]:
        if names and scope.startswith(f"{names[-1]}."):
            names.pop()
        names.append(scope)
    return ".".join(names)


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
