"""Keep a gallery to the embeddings of one model; those of another one are refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.json_values import read_json
from mmreid_ext.setting_checks import is_whole
from mmreid_ext.shorten import one_line
from mmreid_ext.verdicts.thresholds import Threshold, read_thresholds, threshold_sets

from .records import GalleryModel

_SHOWN = 12
"""Characters of a hash that a message names."""


def model_of(given: Any) -> GalleryModel:
    """Return what a gallery keeps of a model.

    Args:
        given: :class:`mmreid_ext.deploy.model_info.ModelInfo`, or anything with ``identity``,
            ``name`` and ``size``; ``all_thresholds`` or ``thresholds`` are kept, too.

    Raises:
        UserTypeError: If it lacks one of them.
    """
    if isinstance(given, GalleryModel):
        return given
    identity, name = getattr(given, "identity", None), getattr(given, "name", None)
    size: Any = getattr(given, "size", None)
    if not isinstance(identity, str) or not identity or not isinstance(name, str):
        raise UserTypeError(
            f"model={one_line(repr(given))} doesn't say which it is; give the `info` of an "
            "Embedder, or what `read_model_info` returns."
        )
    if not is_whole(size, 1):
        raise UserTypeError(f"model {name}: size={size!r} must be a whole number from 1 on.")
    thresholds: Any = getattr(given, "all_thresholds", None) or getattr(given, "thresholds", ())
    kept = tuple(found for found in thresholds if isinstance(found, Threshold))
    return GalleryModel(identity, name, int(size), kept)


def require_same_model(stored: GalleryModel, given: GalleryModel | None, place: str) -> None:
    """Check that a gallery holds the embeddings of a model.

    Args:
        stored: The model of the gallery.
        given: The present one; None: anybody's.
        place: The gallery, for messages.

    Raises:
        UserError: If they are of another model; names both.
    """
    if given is None or (given.identity, given.size) == (stored.identity, stored.size):
        return
    raise UserError(
        f"{place} holds embeddings of another model: {described(stored)}, now {described(given)}. "
        "Use that model, or fill a new gallery with this one."
    )


def described(model: GalleryModel) -> str:
    """Name a model for people: ``best.onnx (3f2a…, 512 numbers)``."""
    return f"{model.name} ({one_line(model.identity, _SHOWN)}, {model.size} numbers)"


def model_to_text(model: GalleryModel) -> str:
    """Return a model as JSON."""
    return json.dumps(asdict(model), ensure_ascii=False)


def model_from_text(text: Any, place: str) -> GalleryModel:
    """Read what :func:`model_to_text` wrote.

    Raises:
        UserError: If it is anything else.
    """
    try:
        data = read_json(text)
        known = {"thresholds": data["all_thresholds"]}
        by_set = [read_thresholds(known, name) for name in threshold_sets(known)]
        model = GalleryModel(
            str(data["identity"]),
            str(data["name"]),
            int(data["size"]),
            tuple(found for one in by_set for found in one),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{place}: what it says about its model can't be read ({one_line(error)}). The file "
            "is damaged; restore a copy of it."
        ) from error
    return model
