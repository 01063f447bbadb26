"""Settings as applications give them: configurations by file, name or value, and devices."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import torch
from mmengine.config import Config

from mmreid_ext.config_files import read_config_file
from mmreid_ext.errors import MissingFileError, UserError, UserTypeError
from mmreid_ext.suggest import did_you_mean

ConfigLike: TypeAlias = str | os.PathLike | Config | Mapping[str, Any]

_CHECKPOINTS = (".pth", ".pt", ".ckpt")


def checkpoint_and_config(
    config: ConfigLike | None, checkpoint: str | os.PathLike | None
) -> tuple[str | os.PathLike, ConfigLike | None]:
    """Tell the file of a model from its configuration; a file that is given alone is the former.

    Raises:
        UserError: If there is no checkpoint, or the two are given the wrong way round.
    """
    if checkpoint is None:
        if isinstance(config, (str, os.PathLike)) and not _is_configuration(config):
            return config, None
        raise UserError(
            "ReIDInferencer: checkpoint=None, must be the file of the trained weights; "
            "give it alone, or behind its configuration."
        )
    if isinstance(config, (str, os.PathLike)) and Path(config).suffix in _CHECKPOINTS:
        raise UserError(
            f"ReIDInferencer: config={str(config)!r} is a checkpoint; "
            "give it alone (and a device as device=...), or write (config, checkpoint)."
        )
    return checkpoint, config


def _is_configuration(name: str | os.PathLike) -> bool:
    """Whether a name can only be that of a configuration."""
    return Path(name).suffix == ".py" or not Path(name).exists() and str(name) in _ours()


def as_config(config: ConfigLike) -> Config:
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
    return read_config_file(find_config(config))


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
    known = _ours()
    stem = str(name).removesuffix(".py")
    if stem not in known:
        names = ", ".join(sorted(known)) or "none found"
        meant = did_you_mean(stem, known)
        raise MissingFileError(f"No configuration {str(name)!r}{meant}. Ours are: {names}.")
    return known[stem]


def _ours() -> dict[str, Path]:
    """The package's configurations by name."""
    package = Path(__file__).resolve().parent.parent
    roots = [package / ".mim" / "configs", package.parent / "configs"]
    folders = [folder for root in roots for folder in (root, root / "migrated")]
    return {file.stem: file for folder in folders for file in folder.glob("*.py")}
