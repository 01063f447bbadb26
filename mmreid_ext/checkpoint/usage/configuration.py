"""Record what building an embedder needs of a configuration, and read it from a checkpoint.

Nothing of a checkpoint is executed. The record is data, its types must be registered already, and
what ``custom_imports`` named is told but not imported.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
from mmengine.config import Config

from mmreid_ext.checkpoint.safe_load import read_meta
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.image_loading import evaluation_steps

from .configuration_text import read_settings
from .record import recorded
from .registered_types import registered_name, require_registered

_NEEDED = (
    *("model", "data_preprocessor", "test_dataloader", "val_dataloader"),
    *("default_scope", "custom_imports"),
)

_REMEDY = (
    "give the configuration of its training beside it: in Python ReIDInferencer(config, "
    "checkpoint), to a tool as --config CONFIG"
)

_STARTS = {"init_cfg": None, "pretrained": False, "checkpoint_path": "", "batch_augments": None}
"""Settings of a model's first weights and of training images; they may name files and addresses.

They are left out of a record, and not followed where a file of somebody else has them.
"""


def describe_config(cfg: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the part of a configuration that building an embedder needs.

    Args:
        cfg: The configuration of a training.

    Returns:
        ``default_scope``, ``model`` (see :func:`model_settings`, without its first weights),
        ``test_dataloader.dataset`` with ``loader`` and ``pipeline``, and the names in
        ``custom_imports``; numbers, text, lists, tuples and dicts. Types that were given as classes
        are registered names. None if the configuration has no model or no test images.

    Raises:
        UserError: If a setting is neither; names it.
    """
    model, steps = model_settings(cfg), evaluation_steps(cfg)
    if model is None or steps is None:
        return None
    dataset = {"loader": steps.loader, "pipeline": steps.transforms}
    return {
        "default_scope": cfg.get("default_scope") or "mmpretrain",
        "model": _plain(_without_starts(model), "model"),
        "test_dataloader": {"dataset": _plain(dataset, "test_dataloader.dataset")},
        "custom_imports": _imports(cfg.get("custom_imports")),
    }


def model_settings(cfg: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the model's settings; a preprocessor beside them is its own, as in a Runner."""
    model, preprocessor = cfg.get("model"), cfg.get("data_preprocessor")
    if not isinstance(model, Mapping):
        return None
    return model if preprocessor is None else {"data_preprocessor": preprocessor, **model}


def recorded_config(checkpoint: str | os.PathLike) -> Config:
    """Read the configuration of an embedder from a checkpoint file; see :func:`config_of`.

    Raises:
        FileNotFoundError: If there is no such file.
        UserError: If it holds no configuration that can be used.
    """
    if not os.path.isfile(checkpoint):
        raise MissingFileError(f"No checkpoint {os.fspath(checkpoint)}.")
    return config_of({"meta": read_meta(checkpoint)}, checkpoint)


def config_of(content: Any, source: str | os.PathLike) -> Config:
    """Take the configuration of an embedder out of a loaded checkpoint.

    Checkpoints of earlier versions hold only MMEngine's text of the whole configuration. It is read
    as literals, never executed.

    Args:
        content: What the checkpoint holds.
        source: Its file, for messages.

    Returns:
        ``model``, ``default_scope`` and ``test_dataloader.dataset`` with ``loader`` and
        ``pipeline``.

    Raises:
        UserError: If it holds no configuration, or one that names types which nothing registers.
    """
    name = os.fspath(source)
    checkpoint = content if isinstance(content, Mapping) else {}
    settings = (recorded(checkpoint) or {}).get("config") or _from_text(checkpoint, name)
    if not isinstance(settings, Mapping):
        raise UserError(
            f"{name} holds no configuration, so it doesn't say how to build its model; {_REMEDY}."
        )
    settings = copy.deepcopy(dict(settings))
    settings["model"] = _without_starts(settings.get("model"))
    require_registered(settings, name, settings.pop("custom_imports", None) or [])
    return Config(settings)


def _from_text(content: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    meta = content.get("meta")
    text = meta.get("cfg") if isinstance(meta, Mapping) else None
    if not isinstance(text, str):
        return None
    try:
        return describe_config(read_settings(text, _NEEDED))
    except UserError as error:
        raise UserError(
            f"{name}: the text of its configuration can't be read as data ({error}); {_REMEDY}."
        ) from error


def _imports(setting: Any) -> list[str]:
    names = setting.get("imports") if isinstance(setting, Mapping) else None
    return [names] if isinstance(names, str) else [str(name) for name in names or ()]


def _without_starts(settings: Any) -> Any:
    if isinstance(settings, Mapping):
        return {
            key: _STARTS[key] if key in _STARTS else _without_starts(value)
            for key, value in settings.items()
        }
    if isinstance(settings, (list, tuple)):
        return type(settings)(map(_without_starts, settings))
    return settings


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):  # what a class asks of a tuple it doesn't get from a list
        items = [_plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, PurePath):
        return str(value)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if where.endswith(".type") and callable(value):
        return registered_name(value)
    raise UserError(
        f"{where} is of type {type(value).__name__}, which a checkpoint can't record; "
        "use numbers, text, lists, dicts and registered types."
    )
