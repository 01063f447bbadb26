"""Count people and cameras of a collection: Milvus can't count by name."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import rows
from .expressions import NO_TIME
from .server import Server

SECONDS = 60.0
"""Age from which on a summary isn't believed any more."""

_FIELDS = ("id", "identity", "camera", "time")
_PORTION = 10_000


@dataclass
class Summary:
    """What only a look at every row tells.

    Attributes:
        rows: How many there are.
        people: How many pictures each person has.
        cameras: Likewise.
        unnamed: Pictures without a person.
        first: Earliest known time.
        last: Latest known time.
    """

    rows: int = 0
    people: Counter[str] = field(default_factory=Counter)
    cameras: Counter[str] = field(default_factory=Counter)
    unnamed: int = 0
    first: float | None = None
    last: float | None = None

    def count(self, page: Sequence[Mapping[str, Any]]) -> None:
        """Take some rows into account."""
        self.rows += len(page)
        self.people.update(row["identity"] for row in page if row["identity"])
        self.cameras.update(row["camera"] for row in page if row["camera"])
        self.unnamed += sum(not row["identity"] for row in page)
        times = [row["time"] for row in page if row["time"] > NO_TIME]
        if times:
            self.first = min(times) if self.first is None else min(self.first, *times)
            self.last = max(times) if self.last is None else max(self.last, *times)


class SummaryCache:
    """The summary of a collection, made anew when its number of rows is another, or when it is old.

    Args:
        server: A connection to the collection.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._made, self._summary = 0.0, Summary(rows=-1)

    def forget(self) -> None:
        """Make the next one anew: this process has changed something."""
        with self._lock:
            self._summary = Summary(rows=-1)

    def now(self) -> Summary:
        """Return the summary."""
        with self._lock:
            if rows.count(self._server) != self._summary.rows or self._is_old():
                self._made, found = time.monotonic(), Summary()
                for page in rows.read_rows(self._server, fields=_FIELDS, portion=_PORTION):
                    found.count(page)
                self._summary = found
            return self._summary

    def _is_old(self) -> bool:
        return time.monotonic() - self._made > SECONDS
