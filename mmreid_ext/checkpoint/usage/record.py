"""Read what a checkpoint records about its own use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mmreid_ext.checkpoint.safe_load import safe_load
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.shorten import brief

KEY = "mmreid_ext"
"""Entry of a checkpoint's ``meta`` that holds the record."""

FORMAT = 1


def read_deployment_info(checkpoint: str | os.PathLike) -> dict[str, Any]:
    """Read embedding size, normalisation and preprocessing from a checkpoint of this package.

    Args:
        checkpoint: File; nothing in it is executed.

    Returns:
        The record, see :mod:`mmreid_ext.checkpoint.usage`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it doesn't hold the record, or holds one in a later format.

    Example:
        >>> info = read_deployment_info('work_dirs/arcmargin_r50vd_market_eml/iter_10000.pth')
        >>> info['embedding']['size'], info['input']['height'], info['input']['width']
        (128, 128, 128)
    """
    if not os.path.isfile(checkpoint):
        raise MissingFileError(f"No checkpoint {checkpoint}.")
    loaded = safe_load(checkpoint, map_location="cpu")
    record = _entry(loaded) if isinstance(loaded, Mapping) else None
    if record is None:
        raise UserError(
            f"{checkpoint} doesn't say how to use it (meta[{KEY!r}] is missing): train with "
            "`default_hooks = dict(deployment_info=dict(type='mmreid_ext.DeploymentInfoHook'))`, "
            "which configs/_base_/default_runtime.py has."
        )
    if record.get("format") != FORMAT:
        raise UserError(
            f"{checkpoint} describes itself in format {brief(record.get('format'))}, "
            f"this version of mmreid_ext reads format {FORMAT}: upgrade the package."
        )
    return dict(record)


def recorded(checkpoint: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the record of a loaded checkpoint; None without one, or in a later format."""
    record = _entry(checkpoint)
    return record if record is not None and record.get("format") == FORMAT else None


def recorded_size(checkpoint: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return height and width of the images that a checkpoint was trained for, if it says so."""
    size = (recorded(checkpoint) or {}).get("input") or {}
    height, width = size.get("height"), size.get("width")
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


def _entry(checkpoint: Mapping[str, Any]) -> Mapping[str, Any] | None:
    meta = checkpoint.get("meta")
    record = meta.get(KEY) if isinstance(meta, Mapping) else None
    return record if isinstance(record, Mapping) else None
