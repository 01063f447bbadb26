"""Say which model made embeddings, and refuse to compare those of two."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from mmreid_ext.apis.inferencer import ReIDInferencer
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.results.features_file import notes_as_data
from mmreid_ext.evaluation.results.report import describe_checkpoint
from mmreid_ext.shorten import one_line

from .image_list import ImageList

_SHOWN = 12
"""Characters of a hash that a message names."""


def notes_of(model: str | os.PathLike, inferencer: ReIDInferencer) -> dict[str, str]:
    """Return the notes of a features file: the checkpoint and the use that was made of it."""
    exported = inferencer.exported
    described = describe_checkpoint(model) if exported is None else exported.describe()
    checkpoint = json.dumps(described)
    return dict(checkpoint=checkpoint, use=json.dumps(inferencer.use))


def plan_of(notes: Mapping[str, str], images: ImageList, batch_size: int) -> dict[str, Any]:
    """Collect what decides the embeddings; a later start must be of the same.

    Args:
        notes: From :func:`notes_of`.
        images: What is embedded.
        batch_size: Pictures of a forward pass.
    """
    return dict(
        model=_fingerprint(json.loads(notes["checkpoint"])),
        use=notes["use"],
        pictures=len(images),
        list=images.fingerprint(),
        batch_size=batch_size,
    )


def require_same_model(
    notes: Mapping[str, str], file: str | os.PathLike, now: Mapping[str, str]
) -> None:
    """Check that stored embeddings are of the present model.

    Files that don't say which model made them, such as those of other programs, pass.

    Args:
        notes: Those of the file.
        file: Its name.
        now: Notes of the present model, from :func:`notes_of`.

    Raises:
        UserError: If they are of another model, or of another use of it; names both.
    """
    stored, present = (notes_as_data(n, f)["checkpoint"] for n, f in ((notes, file), (now, "")))
    if not stored or not _fingerprint(stored):
        return
    if _fingerprint(stored) != _fingerprint(present):
        raise UserError(
            f"{os.fspath(file)} holds embeddings of another model: {_shown(stored)}, "
            f"now {_shown(present)}. Use that model, or embed the pictures again by "
            "tools/embed.py."
        )
    if notes.get("use") and notes["use"] != now["use"]:
        raise UserError(
            f"{os.fspath(file)} holds embeddings of {_shown(stored)} under other settings: "
            f"{notes['use']}, now {now['use']}. Use those settings, or embed the pictures again."
        )


def _fingerprint(checkpoint: Mapping[str, Any]) -> str | None:
    """Return the hash of the weights, where known; a test may write into the rest of a file."""
    return checkpoint.get("weights") or checkpoint.get("sha256")


def _shown(checkpoint: Mapping[str, Any]) -> str:
    return f"{checkpoint.get('file')} ({one_line(_fingerprint(checkpoint) or '?', _SHOWN)})"
