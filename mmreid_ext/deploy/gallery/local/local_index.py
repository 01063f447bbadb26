"""The search index of a gallery file: segments in memory, exact float16 inner products."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np

from mmreid_ext.deploy.gallery.records import Filters

from .nearest import merged
from .read_write_lock import ReadWriteLock
from .segment import ROWS, UNKNOWN, Segment, import_faiss

_QUERIES = 256
"""Queries that are searched for together."""


class Names:
    """Numbers for names, in order of appearance."""

    def __init__(self) -> None:
        self.codes: dict[str | None, int] = {None: UNKNOWN}

    def encode(self, names: Sequence[str | None]) -> np.ndarray:
        """Return the numbers of names, new ones for new names, (N,) int32."""
        codes = self.codes
        found = [codes.setdefault(name, len(codes) - 1) for name in names]
        return np.array(found, dtype=np.int32)

    def known(self, names: Sequence[str]) -> np.ndarray:
        """Return the numbers of those names that have one."""
        return np.array([self.codes[n] for n in names if n in self.codes], dtype=np.int32)

    def chosen(self, names: Sequence[str]) -> np.ndarray:
        """Return by number whether it is among these names; the last entry is for unknown ones."""
        table = np.zeros(len(self.codes), dtype=bool)
        table[self.known(names)] = True
        return table


class LocalIndex:
    """Segments, and the names that filters ask for; any thread may call it.

    Args:
        size: Numbers per embedding.
        threads: Threads of a search; None: all processors that the process may use.
    """

    def __init__(self, size: int, threads: int | None) -> None:
        faiss = import_faiss()
        self.size, self.lock = size, ReadWriteLock()
        self.segments: list[Segment] = []
        self.cameras, self.people = Names(), Names()
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        # OpenMP's number of threads belongs to each thread: ours don't start others.
        self.pool = ThreadPoolExecutor(
            threads or usable or os.cpu_count() or 1,
            thread_name_prefix="gallery",
            initializer=faiss.omp_set_num_threads,
            initargs=(1,),
        )

    def __len__(self) -> int:
        return sum(map(len, self.segments))

    def add(
        self,
        codes: np.ndarray,
        ids: Sequence[int],
        cameras: Sequence[str | None],
        people: Sequence[str | None],
        times: Sequence[float | None],
        following: int = 0,
    ) -> None:
        """Add pictures of later ids.

        Args:
            codes: (N, D) float16.
            ids: N numbers.
            cameras: N names.
            people: N names.
            times: N unix seconds.
            following: Pictures that will be added next: there is room for them then.
        """
        columns = (
            np.array(ids, dtype=np.int64),
            self.cameras.encode(cameras),
            self.people.encode(people),
            np.array(times, dtype=np.float64),
        )
        with self.lock.writing():
            start = 0
            while start < len(codes):
                if not self.segments or len(self.segments[-1]) >= ROWS:
                    room = min(ROWS, len(codes) - start + following)
                    self.segments.append(Segment(self.size, room))
                stop = start + ROWS - len(self.segments[-1])
                self.segments[-1].add(codes[start:stop], *(c[start:stop] for c in columns))
                start = stop

    def remove(self, ids: Sequence[int]) -> None:
        """Remove pictures and overwrite their embeddings; unknown ids don't matter."""
        gone = np.unique(np.array(ids, dtype=np.int64))
        with self.lock.writing():
            for number, segment in enumerate(self.segments):
                marked = np.isin(segment.ids, gone, assume_unique=True)
                if marked.any():
                    self.segments[number] = segment.without(marked)
            self.segments = [segment for segment in self.segments if len(segment)]

    def label(self, ids: Sequence[int], people: Sequence[str | None]) -> None:
        """Set who pictures show; unknown ids don't matter."""
        codes = self.people.encode(people)
        with self.lock.writing():
            firsts = [int(segment.ids[0]) for segment in self.segments]
            for wanted, code in zip(ids, codes, strict=True):
                number = bisect_right(firsts, wanted) - 1
                if number >= 0:
                    segment = self.segments[number]
                    segment.people[segment.ids == wanted] = code

    def search(
        self,
        queries: np.ndarray,
        topk: int,
        filters: Filters,
        other_cameras_than: Sequence[str | None] | None,
    ) -> list[list[tuple[int, float]]]:
        """Return (id, similarity) of the nearest pictures of each query; see :class:`.Store`."""
        found: list[list[tuple[int, float]]] = [[] for _ in range(len(queries))]
        groups: dict[str | None, list[int]] = {}
        for row in range(len(queries)):
            camera = None if other_cameras_than is None else other_cameras_than[row]
            groups.setdefault(camera, []).append(row)
        with self.lock.reading():
            for camera, rows in groups.items():
                parts = self._parts(filters, camera)
                for start in range(0, len(rows), _QUERIES):
                    some = rows[start : start + _QUERIES]
                    lists = merged(self.pool, parts, queries[some], topk)
                    for row, one in zip(some, lists, strict=True):
                        found[row] = one
        return found

    def _parts(
        self, filters: Filters, not_from: str | None
    ) -> list[tuple[Segment, np.ndarray | None]]:
        """Return the segments that hold something that passes, with the marks of what does."""
        tables = []
        if filters.cameras is not None:
            tables.append(("cameras", self.cameras.chosen(filters.cameras)))
        out = [*(filters.not_cameras or ()), *([] if not_from is None else [not_from])]
        if filters.not_cameras is not None or not_from is not None:
            others = ~self.cameras.chosen(out)
            others[UNKNOWN] = False  # it may be one of those
            tables.append(("cameras", others))
        if filters.identities is not None:
            tables.append(("people", self.people.chosen(filters.identities)))
        parts: list[tuple[Segment, np.ndarray | None]] = []
        for segment in self.segments:
            marks = [table[getattr(segment, name)] for name, table in tables]
            if filters.since is not None:
                marks.append(segment.times >= cast(float, filters.since))
            if filters.until is not None:
                marks.append(segment.times < cast(float, filters.until))
            mask = np.logical_and.reduce(marks) if marks else None
            if mask is None or mask.all():
                parts.append((segment, None))
            elif mask.any():
                parts.append((segment, mask))
        return parts

    def close(self) -> None:
        """End the threads and let go of the embeddings."""
        self.pool.shutdown()
        with self.lock.writing():
            self.segments = []
