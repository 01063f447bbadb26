"""Settings as applications give them: configurations by file, name or value, and devices."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from mmreid_ext.errors import MissingFileError, UserError, UserTypeError
from mmreid_ext.suggest import did_you_mean


def as_config(config: str | os.PathLike | Config | Mapping[str, Any]) -> Config:
    """Configuration of a file, of a name of ours, of a ``Config`` or of a dict."""
    if isinstance(config, Config):
        return config
    if isinstance(config, Mapping):
        return Config(dict(config))
    if not isinstance(config, (str, os.PathLike)):
        raise UserTypeError(
            f"ReIDInferencer: config is of type {type(config).__name__}; give a file, the name of "
            "one of our configurations, a Config or a dict."
        )
    return Config.fromfile(find_config(config))


def as_device(device: str | torch.device | None) -> torch.device:
    """Return the device of that name; None: the first GPU, else the CPU."""
    try:
        return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise UserError(f"ReIDInferencer: device={device!r}, must be 'cpu' or 'cuda'.") from error


def without_downloads(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a model whose backbone fetches no weights."""
    fetched = {"init_cfg": None, "pretrained": False}
    backbone = model["backbone"]
    return {
        **model,
        "backbone": {**backbone, **{k: v for k, v in fetched.items() if k in backbone}},
    }


def find_config(name: str | os.PathLike) -> Path:
    """Find a configuration, given as a file or by the name of one that the package has.

    Raises:
        FileNotFoundError: If it is neither; names what there is.
    """
    path = Path(name)
    if path.is_file():
        return path
    package = Path(__file__).resolve().parent.parent
    folders = [package / ".mim" / "configs", package.parent / "configs"]
    known = {file.stem: file for folder in folders for file in folder.glob("*.py")}
    stem = str(name).removesuffix(".py")
    if stem not in known:
        names = ", ".join(sorted(known)) or "none found"
        meant = did_you_mean(stem, known)
        raise MissingFileError(f"No configuration {str(name)!r}{meant}. Ours are: {names}.")
    return known[stem]
