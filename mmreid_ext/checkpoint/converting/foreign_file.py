"""Read the weights of a file that another program wrote; nothing in it is executed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mmreid_ext.checkpoint.safe_load import safe_load
from mmreid_ext.checkpoint.usage.record import recorded
from mmreid_ext.checkpoint.weights import require_names
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.shorten import shorten

from .pdparams import is_pdparams, read_pdparams

NESTED = ("state_dict", "model", "model_state_dict", "net", "network", "teacher")
"""Entries under which programs keep the weights of a network."""

_OTHER_FORMATS = {
    ".pdiparams": "weights of an exported Paddle program; give the .pdparams of the training",
    ".pdmodel": "an exported Paddle program; give the .pdparams of the training",
    ".pdopt": "the optimiser's state; give the .pdparams beside it",
    ".onnx": "an exported network; give the checkpoint that it was exported from",
    ".engine": "an engine of TensorRT; give the checkpoint that it was made from",
    ".h5": "a file of Keras, whose networks have no counterpart here",
}


def read_foreign(path: str | os.PathLike) -> dict[str, Tensor]:
    """Read the weights of a checkpoint by name.

    Files of PyTorch (also old ones), safetensors and Paddle's ``.pdparams``. The prefix
    ``module.`` of distributed trainings is taken off.

    Args:
        path: The file.

    Raises:
        MissingFileError: If there is no such file.
        UserError: If it holds no weights, holds code, is damaged, or is a checkpoint of ours.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingFileError(f"No file {file}.")
    if file.suffix in _OTHER_FORMATS:
        raise UserError(f"{file} is {_OTHER_FORMATS[file.suffix]}.")
    if is_pdparams(file):
        return read_pdparams(file)
    loaded = safe_load(file, map_location="cpu")
    if isinstance(loaded, Mapping) and recorded(loaded) is not None:
        raise UserError(f"{file} is a checkpoint of this package; there is nothing to convert.")
    return _without_wrapper(_weights_of(loaded, file))


def _weights_of(loaded: Any, file: Path) -> dict[str, Tensor]:
    node = loaded
    for _ in range(2):  # {'teacher': {'state_dict': …}}
        if not isinstance(node, Mapping) or any(isinstance(v, Tensor) for v in node.values()):
            break
        inner = [node[name] for name in NESTED if isinstance(node.get(name), Mapping)]
        node = next((one for one in inner if one), node)
    if not isinstance(node, Mapping):
        raise UserError(f"{file} holds a {type(node).__name__}, must be weights by name.")
    require_names(node)
    weights = {name: value for name, value in node.items() if isinstance(value, Tensor)}
    if not weights:
        keys = f"its entries are {shorten(node)}" if node else "it is empty"
        raise UserError(f"{file} holds no weights: {keys}; must be a state dictionary.")
    return weights


def _without_wrapper(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    while all(name.startswith("module.") for name in weights):
        weights = {name.removeprefix("module."): value for name, value in weights.items()}
    return weights
