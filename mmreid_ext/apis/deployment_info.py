"""What a checkpoint says about its own use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.engine.deployment_info import FORMAT, KEY
from mmreid_ext.errors import MissingFileError, UserError


def read_deployment_info(checkpoint: str | os.PathLike) -> dict[str, Any]:
    """Read embedding size, normalisation and preprocessing from a checkpoint of this package.

    Args:
        checkpoint: File; nothing in it is executed.

    Returns:
        See :func:`mmreid_ext.engine.deployment_info.deployment_info`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it doesn't hold the information, or in a later format.

    Example:
        >>> info = read_deployment_info('work_dirs/arcmargin_r50vd_market_eml/iter_10000.pth')
        >>> info['embedding']['size'], info['input']['height'], info['input']['width']
        (128, 128, 128)
    """
    if not os.path.isfile(checkpoint):
        raise MissingFileError(f"No checkpoint {checkpoint}.")
    loaded = safe_load(checkpoint, map_location="cpu")
    meta = loaded.get("meta") if isinstance(loaded, Mapping) else None
    info = meta.get(KEY) if isinstance(meta, Mapping) else None
    if not isinstance(info, Mapping):
        raise UserError(
            f"{checkpoint} doesn't say how to use it (meta[{KEY!r}] is missing): train with "
            "`default_hooks = dict(deployment_info=dict(type='mmreid_ext.DeploymentInfoHook'))`, "
            "which configs/_base_/default_runtime.py has."
        )
    if info.get("format") != FORMAT:
        raise UserError(
            f"{checkpoint} describes itself in format {info.get('format')!r}, this version of "
            f"mmreid_ext reads format {FORMAT}: upgrade the package."
        )
    return dict(info)
