"""A gallery of people: add pictures as embeddings, search, forget."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.setting_checks import is_whole

from .features import write_features
from .inputs import (
    checked_filters,
    checked_ids,
    checked_rows,
    column,
    content_hash,
    matrix_of,
    text,
    unit_rows,
)
from .model_identity import model_of, require_same_model
from .places import open_store
from .records import Added, Filters, GalleryInfo, GalleryModel, Hit, RerankOptions
from .reranking import check_options, reranked
from .store import Store
from .transfer import BATCH, copy_pictures, take_features


class Gallery:
    """Pictures of people to search in. Every method may be called from any thread.

    Args:
        place: A file, or the address of a Milvus server (``http://host:19530``).
        model: Whose embeddings it holds: ``Embedder.info``. Needed for a new gallery; an existing
            one of another model is refused.
        token: Of the server.
        read_only: Whether nothing may be changed; the file must exist then.
        threads: Threads that search together; None: all processors that this process may use.

    Attributes:
        store: Where the pictures are.

    Raises:
        UserError: If the place can't be used, or holds embeddings of another model.
        MissingPackageError: If FAISS (at the first search) or pymilvus isn't installed.
    """

    def __init__(
        self,
        place: str | os.PathLike,
        model: Any = None,
        *,
        token: str | None = None,
        read_only: bool = False,
        threads: int | None = None,
    ) -> None:
        if threads is not None and not is_whole(threads, 1):
            raise UserError(f"threads={threads!r} must be a whole number from 1 on, or None.")
        given = None if model is None else model_of(model)
        self.place, self.read_only = os.fspath(place), read_only
        self.store: Store = open_store(self.place, given, token, read_only, threads)

    @property
    def model(self) -> GalleryModel:
        """The model whose embeddings are kept."""
        return self.store.model

    def add(
        self,
        embeddings: Any,
        *,
        hashes: Sequence[bytes | None] | None = None,
        identities: Sequence[str | None] | None = None,
        cameras: Sequence[str | None] | None = None,
        times: Sequence[Any] | None = None,
        sources: Sequence[str | None] | None = None,
        thumbnails: Sequence[bytes | None] | None = None,
    ) -> Added:
        """Add pictures: all of them, or after an error none.

        Args:
            embeddings: (N, D). A row whose length differs from one by more than float16 rounding
                is scaled to it.
            hashes: Content hash of each picture, at most 64 bytes. A picture whose hash is there
                already is left as it is, so a call can be repeated. Two crops of one file need
                hashes of their own. None: made of embedding, camera, time and source.
            identities: Who is shown; None: unknown.
            cameras: Likewise.
            times: Unix seconds or ``datetime`` (without a time zone: UTC).
            sources: Where a picture comes from, such as a path.
            thumbnails: JPEG bytes.

        Raises:
            UserError: For embeddings of another size, NaN, infinity, a row of zeros, or columns
                that don't correspond; nothing is added.
        """
        array = matrix_of(embeddings, self.model.size, "embeddings", self.model.name)
        rows = checked_rows(
            array,
            "embeddings",
            hashes=hashes,
            identities=identities,
            cameras=cameras,
            times=times,
            sources=sources,
            thumbnails=thumbnails,
        )
        return self.store.add(rows)

    def search(
        self,
        queries: Any,
        topk: int = 10,
        filters: Filters | None = None,
        other_cameras_than: Sequence[str | None] | None = None,
        rerank: RerankOptions | None = None,
    ) -> list[list[Hit]]:
        """Find the nearest pictures of each query.

        Args:
            queries: (Q, D); rows are scaled to length one.
            topk: Length of the lists. They are shorter where fewer pictures pass the filters.
            filters: Conditions for all queries.
            other_cameras_than: A camera per query that none of its pictures may come from; None
                for a query without this condition.
            rerank: Settings of k-reciprocal re-ranking among the nearest ``n``; None: none.

        Returns:
            For each query its pictures, the best first.

        Raises:
            UserError: For arguments that can't be used.
        """
        if not is_whole(topk, 1):
            raise UserError(f"topk={topk!r} must be a whole number from 1 on.")
        array = matrix_of(queries, self.model.size, "queries", self.model.name)
        units = unit_rows(array, "queries", 0.0)
        not_from = other_cameras_than
        if not_from is not None:
            not_from = column(not_from, len(units), "other_cameras_than", text)
        plain = checked_filters(filters)
        if rerank is None:
            return self.store.search(units, topk, plain, not_from)
        check_options(rerank)
        lists = self.store.search(units, max(topk, rerank.n), plain, not_from)
        return [
            reranked(query, hits, self.store.embeddings([hit.id for hit in hits]), rerank)[:topk]
            for query, hits in zip(units, lists, strict=True)
        ]

    def delete(self, ids: Sequence[int] | None = None, *, identity: str | None = None) -> int:
        """Delete pictures for good, or all of a person; see the package for privacy.

        Returns:
            How many were deleted; unknown ids and names don't count.
        """
        if (ids is None) == (identity is None):
            raise UserError("delete needs either ids or identity.")
        if identity is not None:
            return self.store.delete(None, text(identity, "identity"))
        return self.store.delete(checked_ids(ids or ()), None)

    def label(self, ids: Sequence[int], identity: str | None) -> int:
        """Set who pictures show (None: unknown), and return how many were found."""
        name = None if identity is None else text(identity, "identity")
        return self.store.label(checked_ids(ids), name)

    def find(self, hashes: Sequence[bytes]) -> list[int | None]:
        """Return the id of the picture of each hash; None for one that isn't there."""
        return self.store.find([content_hash(value, "hashes") for value in hashes])

    def get(self, ids: Sequence[int]) -> list[Hit]:
        """Return what is known about pictures, with similarity 0; unknown ids are left out."""
        return self.store.get(checked_ids(ids))

    def embeddings(self, ids: Sequence[int]) -> np.ndarray:
        """Return stored embeddings, (N, D) float16; rows of unknown ids are zero."""
        return self.store.embeddings(checked_ids(ids))

    def thumbnail(self, id: int) -> bytes | None:
        """Return the JPEG bytes of a picture; None without any."""
        return self.store.thumbnail(checked_ids([id])[0])

    def people(self) -> dict[str, int]:
        """Return how many pictures each person has, by name in order."""
        return self.store.people()

    def cameras(self) -> dict[str, int]:
        """Return how many pictures each camera has, by name in order."""
        return self.store.cameras()

    def info(self) -> GalleryInfo:
        """Summarise the gallery."""
        return self.store.info()

    def refresh(self) -> None:
        """Load the index now, or catch up with other processes now: the next search is quick."""
        self.store.refresh()

    def copy_to(
        self, other: Gallery, batch: int = BATCH, progress: Callable[[int], None] | None = None
    ) -> Added:
        """Add all pictures to another gallery, of any kind; ids are new there.

        Each batch is added whole or not at all. After an interruption call it again.
        ``progress`` is called with the number of pictures of each batch.
        """
        require_same_model(other.model, self.model, other.place)
        return copy_pictures(self.store, other.store, batch, progress)

    def export(self, path: str | os.PathLike, *, thumbnails: bool = False) -> int:
        """Write all pictures as a features file, and return how many.

        Args:
            path: Ends with ``.npz``; replaced by a complete file only. Tools search and evaluate
                it, and :meth:`take` reads it.
            thumbnails: Whether they are written, too.
        """
        return write_features(path, self.store.rows(BATCH, thumbnails), self.model)

    def take(self, path: str | os.PathLike, progress: Callable[[int], None] | None = None) -> Added:
        """Add the pictures of a features file (``.npz``) of the same model.

        Each batch is added whole or not at all. After an interruption call it again: what is
        there already stays. Pictures of a file that doesn't say which model made it are taken.

        Args:
            path: Written by :meth:`export`, ``tools/embed.py`` or ``tools/test.py
                --save-features``.
            progress: Called with the number of pictures of each batch.

        Raises:
            UserError: If it is no such file, or of another model; names both.
        """
        return take_features(path, self.model, self.place, self.add, progress)

    def close(self) -> None:
        """Let go of files and connections; a second call does nothing."""
        self.store.close()

    def __enter__(self) -> Gallery:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
