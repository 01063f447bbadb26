"""Merge the lists of several segments into the nearest pictures of all, ties by id."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np

from .segment import Segment

Part = tuple[Segment, np.ndarray | None]


def merged(
    pool: Executor, parts: Sequence[Part], queries: np.ndarray, topk: int
) -> list[list[tuple[int, float]]]:
    """Return (id, similarity) of the nearest pictures of each query, the nearest first, ties by id.

    FAISS doesn't say which of several equal rows it keeps at the end of a list. So each segment
    gives one more than is asked for, and more again while the end may hide a tie.

    Args:
        pool: Threads that search segments.
        parts: Segments, and which of their rows may be found.
        queries: (Q, D) float32.
        topk: Length of the lists.
    """
    lists: list[list[tuple[int, float]]] = [[] for _ in range(len(queries))]
    rows, count = np.arange(len(queries)), topk + 1
    while len(rows) and parts:
        asked = np.ascontiguousarray(queries[rows])

        def search(part: Part, asked: np.ndarray = asked, count: int = count) -> tuple:
            return part[0].search(asked, count, part[1])

        found = list(pool.map(search, parts))
        values = np.concatenate([similarities for similarities, _ in found], axis=1)
        ids = np.concatenate([places for _, places in found], axis=1)
        values[ids < 0] = -np.inf
        order = np.lexsort((ids, -values), axis=1)[:, :topk]
        values, ids = (np.take_along_axis(a, order, axis=1) for a in (values, ids))
        # The last one that counts; fewer than asked for: nothing is hidden.
        ends = values[:, -1] if values.shape[1] == topk else np.full(len(rows), -np.inf)
        hidden = np.zeros(len(rows), dtype=bool)
        for (similarities, places), (segment, _) in zip(found, parts, strict=True):
            if places.shape[1] < len(segment):
                hidden |= (places[:, -1] >= 0) & (similarities[:, -1] >= ends)
        for row, similarities, numbers in zip(rows, values, ids, strict=True):
            known = numbers >= 0
            lists[row] = list(
                zip(numbers[known].tolist(), similarities[known].tolist(), strict=True)
            )
        rows, count = rows[hidden], 4 * count
    return lists
