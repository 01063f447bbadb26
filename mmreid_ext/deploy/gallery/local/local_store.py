"""The gallery in one file: SQLite is the truth, an index in memory follows it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mmreid_ext.deploy.gallery.model_identity import (
    model_from_text,
    model_to_text,
    require_same_model,
)
from mmreid_ext.deploy.gallery.records import Added, Filters, GalleryInfo, GalleryModel, Hit, Rows
from mmreid_ext.errors import UserError

from .database import (
    Connection,
    make_file,
    number_of,
    open_reader,
    prepare,
    reported,
    require_file,
)
from .follower import Follower
from .forgetting import forget
from .statements import chunks, marks
from .summary import CAMERAS, PEOPLE, summarise
from .writing import add_rows, delete_rows, label_rows

_TRIES = 5
"""Searches whose hits others delete before they are read, until the rest is taken."""


class LocalStore:
    """A :class:`mmreid_ext.deploy.gallery.store.Store` in one file.

    Reading and writing have a connection each: no search waits for a long ``add``.

    Args:
        place: The file.
        model: Needed for a new file.
        read_only: Whether nothing may be changed.
        threads: Threads of a search; None: all processors.
    """

    def __init__(
        self,
        place: str,
        model: GalleryModel | None,
        *,
        read_only: bool = False,
        threads: int | None = None,
    ) -> None:
        self.place, self.read_only = place, read_only
        if model is None or read_only:
            require_file(place)
        elif not os.path.exists(place):
            make_file(place)
        self._writer: Connection | None = None
        with reported(place):
            self._reader = open_reader(place, read_only)
            self._file = os.path.abspath(place)
            self._number = number_of(place)
            try:
                text = None if model is None or read_only else model_to_text(model)
                prepare(self._reader, place, text)
                self.model = self._stored_model()
                require_same_model(self.model, model, place)
                if not read_only:
                    self._writer = Connection(place, "rw")
                    forget(self._writer, place, None)  # what a killed process has left to do
            except BaseException:
                self._reader.close()
                raise
        self._follower = Follower(self._reader, place, self.model.size, threads)
        self._closed = threading.Event()

    def _stored_model(self) -> GalleryModel:
        found = self._reader.one("SELECT value FROM meta WHERE key = 'model'")
        return model_from_text(found[0] if found else None, self.place)

    def _open_writer(self) -> Connection:
        self._require_open()
        if self._writer is None:
            raise UserError(f"{self.place} was opened for reading only; nothing can be changed.")
        return self._writer

    def _require_open(self) -> None:
        if self._closed.is_set():
            raise UserError(f"{self.place} was closed; open the gallery again.")
        if number_of(self._file) != self._number:  # what is written now would be lost
            raise UserError(f"{self.place} was deleted, moved or replaced; open it again.")

    def _read(self, statement: str, values: Sequence[Any] = ()) -> list[tuple]:
        self._require_open()
        with reported(self.place):
            return self._reader.all(statement, tuple(values))

    def add(self, rows: Rows) -> Added:
        """Add all rows in one transaction; see :class:`.Store`."""
        writer = self._open_writer()
        with reported(self.place), writer.transaction() as raw:
            return add_rows(raw, rows)

    def delete(self, ids: Sequence[int] | None, identity: str | None) -> int:
        """Delete pictures, everywhere; see :class:`.Store`."""
        writer = self._open_writer()
        with reported(self.place):
            count = delete_rows(writer, self._file, ids, identity)
            self._follower.catch_up_if_loaded()
        return count

    def label(self, ids: Sequence[int], identity: str | None) -> int:
        """Set who pictures show; see :class:`.Store`."""
        writer = self._open_writer()
        with reported(self.place):
            count = label_rows(writer, self._file, ids, identity)
            self._follower.catch_up_if_loaded()
        return count

    def refresh(self) -> None:
        """Load the index, or catch up."""
        self._require_open()
        with reported(self.place):
            self._follower.catch_up()

    def search(
        self,
        queries: np.ndarray,
        topk: int,
        filters: Filters,
        other_cameras_than: Sequence[str | None] | None,
    ) -> list[list[Hit]]:
        """Find the nearest pictures; see :class:`.Store`."""
        for left in reversed(range(_TRIES)):
            self.refresh()
            try:
                found = self._follower.index.search(queries, topk, filters, other_cameras_than)
            except RuntimeError:  # its threads have ended
                self._require_open()
                raise
            known = self._known({id for one in found for id, _ in one})
            # Others may delete a picture between the search and this reading.
            if not left or all(id in known for one in found for id, _ in one):
                break
        return [
            [_hit(id, similarity, known[id]) for id, similarity in one if id in known]
            for one in found
        ]

    def _known(self, ids: set[int]) -> dict[int, tuple]:
        """Return by id: identity, camera, time, source, whether there is a thumbnail."""
        known = {}
        for some in chunks(sorted(ids)):
            for id, *rest in self._read(
                "SELECT i.id, identity, camera, time, source, t.id IS NOT NULL FROM images i "
                f"LEFT JOIN thumbnails t ON t.id = i.id WHERE i.id IN ({marks(some)})",
                some,
            ):
                known[id] = tuple(rest)
        return known

    def get(self, ids: Sequence[int]) -> list[Hit]:
        """Return what is known about pictures; see :class:`.Store`."""
        known = self._known(set(ids))
        return [_hit(id, 0.0, known[id]) for id in ids if id in known]

    def find(self, hashes: Sequence[bytes]) -> list[int | None]:
        """Return the id of the picture of each hash; see :class:`.Store`."""
        found: dict[bytes, int] = {}
        for some in chunks(list(dict.fromkeys(hashes))):
            asked = f"SELECT hash, id FROM images WHERE hash IN ({marks(some)})"
            found |= dict(self._read(asked, some))
        return [found.get(content) for content in hashes]

    def embeddings(self, ids: Sequence[int]) -> np.ndarray:
        """Return stored embeddings; see :class:`.Store`."""
        found: dict[int, bytes] = {}
        for some in chunks(sorted(set(ids))):
            asked = f"SELECT id, embedding FROM images WHERE id IN ({marks(some)})"
            found |= dict(self._read(asked, some))
        none = bytes(2 * self.model.size)
        raw = b"".join(found.get(id, none) for id in ids)
        return np.frombuffer(raw, dtype="<f2").reshape(len(ids), self.model.size)

    def thumbnail(self, id: int) -> bytes | None:
        """Return the JPEG bytes of a picture."""
        found = self._read("SELECT jpeg FROM thumbnails WHERE id = ?", (id,))
        return found[0][0] if found else None

    def people(self) -> dict[str, int]:
        """Return how many pictures each person has."""
        return dict(self._read(PEOPLE))

    def cameras(self) -> dict[str, int]:
        """Return how many pictures each camera has."""
        return dict(self._read(CAMERAS))

    def rows(self, batch: int, thumbnails: bool) -> Iterator[Rows]:
        """Yield all pictures in order of id; see :class:`.Store`."""
        last, picture = 0, "t.jpeg" if thumbnails else "NULL"
        while found := self._read(
            "SELECT i.embedding, hash, identity, camera, time, source, "
            f"{picture}, i.id FROM images i LEFT JOIN thumbnails t ON t.id = i.id "
            "WHERE i.id > ? ORDER BY i.id LIMIT ?",
            (last, batch),
        ):
            raw, *columns = (list(column) for column in zip(*found, strict=True))
            codes = np.frombuffer(b"".join(raw), dtype="<f2").reshape(len(raw), self.model.size)
            yield Rows(codes, *columns)
            last = found[-1][-1]

    def info(self) -> GalleryInfo:
        """Summarise the file."""
        return summarise(self._read, self.place, self._file, self.model)

    def close(self) -> None:
        """Close the connections and drop the index."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._follower.close()
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()


def _hit(id: int, similarity: float, known: tuple) -> Hit:
    identity, camera, time, source, thumbnail = known
    return Hit(id, similarity, identity, camera, time, source, similarity, bool(thumbnail))
