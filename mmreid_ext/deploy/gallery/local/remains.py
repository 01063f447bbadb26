"""Search the unused parts of a SQLite file for what was deleted, in a process of its own.

``PRAGMA secure_delete`` overwrites deleted rows and freed pages. It doesn't overwrite the copies
that SQLite leaves behind when it moves rows from page to page: they stay between the list of a
page's rows and its first row, until something else needs the room.

A process that opened the file beside SQLite and closed it again would lose SQLite's locks (POSIX).
So this module is run as a script: ``python remains.py FILE``, with what is looked for as JSON on
its standard input. It prints how many of its pages hold some of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import numpy as np

WINDOW = 8
"""Bytes that are compared."""

_TREE_PAGES = {2: 12, 5: 12, 10: 8, 13: 8}
"""Length of the header by the type of a page with rows."""

_BLOCK = 512
"""Pages read at a time."""


def windows_of(content: bytes, step: int = 16) -> set[int]:
    """Return pieces of a deleted value, as numbers; every 24 bytes of it hold a whole one."""
    last = len(content) - WINDOW
    starts = {*range(0, last + 1, step), last} if last >= 0 else set()
    return {int.from_bytes(content[at : at + WINDOW], "little") for at in starts}


def unused_parts(file: str) -> Iterator[bytes]:
    """Yield what stands between the list of rows and the first row of each page, if anything."""
    with open(file, "rb") as stream:
        header = stream.read(100)
        page_size = int.from_bytes(header[16:18], "big")
        page_size = 65_536 if page_size == 1 else page_size
        stream.seek(0)
        first = True
        while block := stream.read(_BLOCK * page_size):
            for start in range(0, len(block), page_size):
                at = start + (100 if first else 0)
                first = False
                length = _TREE_PAGES.get(block[at])
                if length is None:
                    continue
                rows = int.from_bytes(block[at + 3 : at + 5], "big")
                content = int.from_bytes(block[at + 5 : at + 7], "big") or 65_536
                part = block[at + length + 2 * rows : start + content]
                if part.strip(b"\0"):
                    yield part


def count_remains(file: str, windows: set[int], texts: set[bytes]) -> int:
    """Return how many pages hold a piece of a deleted value, or a deleted text.

    Args:
        file: The database; nobody else's writing is waited for.
        windows: From :func:`windows_of`.
        texts: UTF-8.
    """
    wanted = np.array(sorted(windows), dtype=np.uint64)
    begins = np.zeros(65_536, dtype=bool)  # quick: two bytes rule out nearly everything
    begins[(wanted & np.uint64(65_535)).astype(np.int64)] = True
    count = 0
    for part in unused_parts(file):
        if any(text in part for text in texts) or _holds(part, wanted, begins):
            count += 1
    return count


def _holds(part: bytes, wanted: np.ndarray, begins: np.ndarray) -> bool:
    if len(part) < WINDOW or not len(wanted):
        return False
    found = np.lib.stride_tricks.sliding_window_view(np.frombuffer(part, dtype=np.uint8), WINDOW)
    likely = found[begins[found[:, 0] + 256 * found[:, 1].astype(np.int64)]]
    numbers = np.ascontiguousarray(likely).view("<u8").ravel()
    return bool(np.isin(numbers, wanted).any())


def main() -> None:
    """Answer a question from standard input."""
    asked = json.load(sys.stdin)
    texts = {text.encode() for text in asked["texts"]}
    sys.stdout.write(str(count_remains(sys.argv[1], set(asked["windows"]), texts)))


if __name__ == "__main__":
    main()
