"""Move pictures into a gallery: from another one, or from a features file."""

from __future__ import annotations

import os
from collections.abc import Callable

from .features_reading import FeaturesFile
from .model_identity import require_same_model
from .records import Added, GalleryModel
from .store import Store

BATCH = 5000
"""Pictures that are moved at a time, each time whole or not at all."""

Progress = Callable[[int], None]


def copy_pictures(
    source: Store, target: Store, batch: int, progress: Progress | None = None
) -> Added:
    """Add all pictures of one store to another of the same model; see :meth:`.Gallery.copy_to`."""
    total = Added(0, 0, [])
    for rows in source.rows(batch, thumbnails=True):
        total = total.joined(target.add(rows))
        if progress is not None:
            progress(len(rows))
    return total


def take_features(
    path: str | os.PathLike,
    model: GalleryModel,
    place: str,
    add: Callable[..., Added],
    progress: Progress | None = None,
) -> Added:
    """Add the pictures of a features file; see :meth:`.Gallery.take`.

    Args:
        path: The file.
        model: The gallery's.
        place: The gallery, for messages.
        add: Its method.
        progress: Called with the number of pictures of each batch.
    """
    file = FeaturesFile(path)
    if file.model is not None:
        require_same_model(model, file.model, place)
    total = Added(0, 0, [])
    for embeddings in file.parts(BATCH):
        start = len(total.ids)
        columns = file.columns(slice(start, start + len(embeddings)))
        total = total.joined(add(embeddings, **columns))
        if progress is not None:
            progress(len(embeddings))
    return total
