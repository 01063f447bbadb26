"""Use exported models: embed, keep a gallery, serve; loads neither PyTorch nor mm*."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .embedder import Embedder as Embedder
    from .gallery.gallery import Gallery as Gallery
    from .model_info import ModelInfo as ModelInfo
    from .model_info import read_model_info as read_model_info

_PLACES = {
    "Embedder": "embedder",
    "Gallery": "gallery.gallery",
    "ModelInfo": "model_info",
    "read_model_info": "model_info",
}
"""Module of each name; it is imported when the name is asked for."""

__all__ = ["Embedder", "Gallery", "ModelInfo", "read_model_info"]


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_PLACES[name]}", __name__), name)
