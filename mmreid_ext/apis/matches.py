"""The images of a gallery that are most similar to a query."""

from __future__ import annotations

from dataclasses import dataclass

from .inputs import Embedded
from .search import Nearest


@dataclass(frozen=True)
class Match:
    """A gallery image that was found.

    Attributes:
        index: Its place in the gallery.
        path: Its file; None for images in memory.
        similarity: Cosine of the two embeddings, in [-1, 1].
    """

    index: int
    path: str | None
    similarity: float


def matches_of(found: Nearest, gallery: Embedded) -> list[list[Match]]:
    """Return the lists of a search with the places and paths of the gallery."""
    rows = gallery.rows.tolist()
    return [
        [Match(rows[i], gallery.paths[i], similarity) for i, similarity in zip(*lists, strict=True)]
        for lists in zip(found.indices.tolist(), found.similarities.tolist(), strict=True)
    ]
