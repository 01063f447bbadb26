"""Move embeddings: from a features file into a gallery, from one gallery to another."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mmreid_ext.deploy import Gallery
from mmreid_ext.deploy.gallery.features_reading import FeaturesFile
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import several

from .progress import CountedProgress

if TYPE_CHECKING:
    from mmreid_ext.deploy.gallery.records import Added


def copy_gallery(place: str, other: str) -> str:
    """Copy everything to another gallery, which is made if it isn't there; say how much it was.

    Args:
        place: File or address.
        other: Likewise. What it holds already stays, so a copy that was interrupted goes on.

    Raises:
        UserError: If both are one.
    """
    if place == other or _one_file(place, other):
        raise UserError(f"copy: {place} and {other} are one gallery; name another one.")
    with Gallery(place, read_only=True) as source, Gallery(other, model=source.model) as target:
        progress = CountedProgress(source.info().rows, "pictures")
        try:
            moved = source.copy_to(target, progress=progress)
        finally:
            progress.end()
        return _told(other, moved, target)


def take_features(place: str, path: str | os.PathLike, model: Any = None) -> str:
    """Add the embeddings of a features file; say how many there were.

    Args:
        place: File or address. A new gallery is made for the model that the file names.
        path: The features file.
        model: Whose embeddings they are, for a file that doesn't say.

    Raises:
        UserError: If nobody says which model made them, or the gallery holds those of another one.
    """
    file = FeaturesFile(path)
    given = file.model if model is None else model
    if given is None and ("://" in place or not os.path.exists(place)):
        raise UserError(
            f"{path} doesn't say which model made its embeddings, and {place} is new: add --model."
        )
    with Gallery(place, model=given) as gallery:
        progress = CountedProgress(file.count, "embeddings")
        try:
            taken = gallery.take(path, progress)
        finally:
            progress.end()
        return _told(place, taken, gallery)


def _one_file(place: str, other: str) -> bool:
    return os.path.exists(place) and os.path.exists(other) and os.path.samefile(place, other)


def _told(place: str, moved: Added, gallery: Gallery) -> str:
    known = f", {moved.known:,} were there and stay as they are" if moved.known else ""
    rows = gallery.info().rows
    return f"{place}: {several(moved.added, 'picture')} added{known}; it holds {rows:,}"
