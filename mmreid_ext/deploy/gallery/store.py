"""The protocol of the stores behind a gallery: what a new backend has to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from .records import Added, Filters, GalleryInfo, GalleryModel, Hit, Rows


class Store(Protocol):
    """Keeps pictures and finds the nearest; thread-safe.

    :class:`.Gallery` has checked every argument: embeddings are float16 or float32 of length one,
    times are unix seconds, filters hold lists of text and unix seconds.

    Attributes:
        model: Whose embeddings it holds.
    """

    model: GalleryModel

    def add(self, rows: Rows) -> Added:
        """Add all rows or, after an error, none; those with a known hash stay as they were."""

    def search(
        self,
        queries: np.ndarray,
        topk: int,
        filters: Filters,
        other_cameras_than: Sequence[str | None] | None,
    ) -> list[list[Hit]]:
        """Return the nearest pictures of each query, the nearest first, ties by id.

        Args:
            queries: (Q, D) float32 of length one.
            topk: Length of the lists, at least 1; shorter where fewer pass the filters.
            filters: Conditions.
            other_cameras_than: A camera per query that no picture of its list may come from; None
                for no such condition. Pictures of unknown cameras are out then, too.
        """

    def find(self, hashes: Sequence[bytes]) -> list[int | None]:
        """Return the id of the picture of each hash; None for one that isn't there."""

    def embeddings(self, ids: Sequence[int]) -> np.ndarray:
        """Return stored embeddings in the order of ``ids``, (N, D) float16; zero: unknown id."""

    def get(self, ids: Sequence[int]) -> list[Hit]:
        """Return what is known about pictures, with similarity 0; unknown ids are left out."""

    def delete(self, ids: Sequence[int] | None, identity: str | None) -> int:
        """Delete pictures, or all of a person; return how many there were.

        One of the two is None; unknown ids don't count.
        """

    def label(self, ids: Sequence[int], identity: str | None) -> int:
        """Set who pictures show, and return how many were found."""

    def thumbnail(self, id: int) -> bytes | None:
        """Return the JPEG bytes of a picture; None without any."""

    def people(self) -> dict[str, int]:
        """Return how many pictures each person has, by name in order."""

    def cameras(self) -> dict[str, int]:
        """Return how many pictures each camera has, by name in order."""

    def rows(self, batch: int, thumbnails: bool) -> Iterator[Rows]:
        """Yield all pictures in order of id, at most ``batch`` at a time, with their ids."""

    def info(self) -> GalleryInfo:
        """Summarise the store."""

    def refresh(self) -> None:
        """Make ready for a search: load the index, or catch up with other processes."""

    def close(self) -> None:
        """Let go of files and connections; a second call does nothing."""
