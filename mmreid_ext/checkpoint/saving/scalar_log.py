"""Let a training outlive a full disk that has no room for its log of values either."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from mmengine.visualization import LocalVisBackend

from mmreid_ext.checkpoint.warning import warn

from .full_disk import is_full


def install() -> None:
    """Put the rule around the backend that writes ``vis_data/scalars.json``."""
    LocalVisBackend._dump = surviving(LocalVisBackend._dump)


def surviving(dump: Callable[..., None]) -> Callable[..., None]:
    """Let a method that appends to a log warn, once per stretch, where the disk is full."""

    @wraps(dump)
    def dump_if_possible(backend: Any, *args: Any, **kwargs: Any) -> None:
        try:
            dump(backend, *args, **kwargs)
        except OSError as error:
            if not is_full(error):
                raise
            if not getattr(backend, "loses_values", False):
                warn(f"DISK FULL: logged values are lost until there is room ({error}).")
            backend.loses_values = True
        else:
            backend.loses_values = False

    return dump_if_possible
