"""Protocols by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmreid_ext.errors import UserError

from .protocol import (
    CameraProtocol,
    EvaluationProtocol,
    InShopProtocol,
    PaddleClasProtocol,
    SelfRetrievalProtocol,
    SingleGalleryShotProtocol,
)
from .split_list import SplitListProtocol


def build_protocol(spec: str | Mapping[str, Any] | EvaluationProtocol | None) -> EvaluationProtocol:
    """Protocol from a name, settings, or itself.

    Args:
        spec: None means ``'camera'``. A name: ``'camera'``, ``'no_camera'``, ``'paddleclas'``,
            ``'self_retrieval'``, ``'sop'``, ``'in_shop'``, ``'single_gallery_shot'``,
            ``'cuhk03_classic'``, ``'viper'``, ``'prid2011'``, ``'grid'``, ``'ilids'``. A dict: such
            a name as ``type`` and the arguments to change, for example
            ``dict(type='single_gallery_shot', repeats=10)``.

    Raises:
        ValueError: If the name is unknown.
    """
    if isinstance(spec, EvaluationProtocol):
        return spec
    settings = {"type": spec or "camera"} if isinstance(spec, (str, type(None))) else dict(spec)
    name = settings.pop("type", "camera")
    named = _named_protocols()
    named |= {kind.__name__: (kind, {}) for kind, _ in named.values()}  # as describe() writes it
    if name not in named:
        raise UserError(f"Unknown evaluation protocol {name!r}. Known: {', '.join(named)}.")
    kind, defaults = named[name]
    if "ranks" in settings:
        settings["ranks"] = tuple(int(k) for k in settings["ranks"])
    return kind(**{**defaults, **settings})


def _named_protocols() -> dict[str, tuple[type[EvaluationProtocol], dict[str, Any]]]:
    return {
        "camera": (CameraProtocol, {}),
        "no_camera": (CameraProtocol, dict(use_cameras=False)),
        "in_shop": (InShopProtocol, {}),
        "paddleclas": (PaddleClasProtocol, {}),
        "self_retrieval": (SelfRetrievalProtocol, {}),
        "sop": (SelfRetrievalProtocol, {}),
        "single_gallery_shot": (SingleGalleryShotProtocol, {}),
        "cuhk03_classic": (SingleGalleryShotProtocol, {}),
        **{
            name: (SplitListProtocol, dict(file=name))
            for name in ("viper", "prid2011", "grid", "ilids")
        },
        "split_list": (SplitListProtocol, {}),
    }
