"""Keep the index in memory up to date with the file, whoever writes to it."""

from __future__ import annotations

import threading

import numpy as np

from mmreid_ext.errors import UserError

from .database import Connection
from .local_index import LocalIndex
from .statements import chunks, marks

_BATCH = 2048
"""Pictures read at a time: what loading needs beside the index."""


class Follower:
    """Reads what is new in the file into an index.

    ``PRAGMA data_version`` says whether another connection has written. Then pictures after the
    last id are new ones, and the table ``changes`` lists those deleted or labelled anew.

    Args:
        reader: Connection that nothing is written by.
        place: The file, for messages.
        size: Numbers per embedding.
        threads: Threads of a search.
    """

    def __init__(self, reader: Connection, place: str, size: int, threads: int | None) -> None:
        self.reader, self.place, self.size, self.threads = reader, place, size, threads
        self._turn = threading.Lock()
        self._index: LocalIndex | None = None
        self._version: int | None = None
        self._last_id = self._last_change = 0

    @property
    def index(self) -> LocalIndex:
        """The index; :meth:`catch_up` makes it."""
        if self._index is None:
            self.catch_up()
        return self._index  # type: ignore[return-value]  # catch_up has made it

    def catch_up_if_loaded(self) -> None:
        """Let the index forget what was deleted; one that isn't loaded holds nothing."""
        if self._index is not None:
            self.catch_up()

    def catch_up(self) -> None:
        """Load the index, or bring it up to date."""
        with self._turn:
            version = self._number("PRAGMA data_version")
            if self._index is not None and version == self._version:
                return
            if self._index is None:
                self._index = LocalIndex(self.size, self.threads)
                # Changes before now are in the pictures that are read below.
                self._last_change = self._number("SELECT coalesce(max(seq), 0) FROM changes")
            changes = self.reader.all(
                "SELECT seq, id, deleted FROM changes WHERE seq > ? ORDER BY seq",
                (self._last_change,),
            )
            self._read_new(self._index)
            self._index.remove([id for _, id, deleted in changes if deleted])
            self._read_labels(
                self._index, sorted({id for _, id, deleted in changes if not deleted})
            )
            if changes:
                self._last_change = changes[-1][0]
            self._version = version

    def _read_new(self, index: LocalIndex) -> None:
        left = 0
        if not len(index):
            left = self._number("SELECT count(*) FROM images")
        while found := self.reader.all(
            "SELECT id, camera, identity, time, embedding FROM images WHERE id > ? "
            "ORDER BY id LIMIT ?",
            (self._last_id, _BATCH),
        ):
            ids, cameras, people, times, raw = zip(*found, strict=True)
            joined = b"".join(raw)
            wrong = next(
                (i for i, one in zip(ids, raw, strict=True) if len(one) != 2 * self.size), 0
            )
            if wrong:
                raise UserError(
                    f"{self.place} is damaged: picture {wrong} has an embedding of another size; "
                    "delete it, or restore a copy."
                )
            codes = np.frombuffer(joined, dtype="<f2").reshape(len(raw), self.size)
            left = max(0, left - len(ids))
            index.add(codes, ids, cameras, people, times, following=left)
            self._last_id = ids[-1]

    def _read_labels(self, index: LocalIndex, ids: list[int]) -> None:
        for some in chunks(ids):
            found = self.reader.all(
                f"SELECT id, identity FROM images WHERE id IN ({marks(some)})", some
            )
            index.label([id for id, _ in found], [identity for _, identity in found])

    def _number(self, statement: str) -> int:
        found = self.reader.one(statement)
        return int(found[0]) if found else 0

    def close(self) -> None:
        """End the threads and drop the index."""
        with self._turn:
            if self._index is not None:
                self._index.close()
                self._index = None
