"""What a checkpoint says about itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .safe_load import safe_load


def read_meta(path: str | os.PathLike) -> dict[str, Any]:
    """The ``meta`` of a checkpoint; empty for a plain state dictionary.

    Args:
        path: Checkpoint. Nothing in it is executed.

    Raises:
        UserError: If the file is no checkpoint.
    """
    loaded = safe_load(path, map_location="cpu")
    meta = loaded.get("meta") if isinstance(loaded, Mapping) else None
    return dict(meta) if isinstance(meta, Mapping) else {}
