"""Search the unused parts of a SQLite file for what was deleted, in a process of its own.

``PRAGMA secure_delete`` overwrites deleted rows and freed pages. It doesn't overwrite the copies
that SQLite leaves behind when it moves rows from page to page: they stay between the list of a
page's rows and its first row, until something else needs the room.

A process that opened the file beside SQLite and closed it again would lose SQLite's locks (POSIX).
So this module is run as a script: ``python remains.py FILE``, with what is looked for as JSON on
its standard input. It prints 1 if some of it is there, else 0.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator

import numpy as np

WINDOW = 8
"""Bytes that are compared."""

SHORTEST = 4
"""Bytes of a text that is looked for: shorter ones are everywhere."""

_TREE_PAGES = {2: 12, 5: 12, 10: 8, 13: 8}
"""Length of the header by the type of a page with rows."""

_NUMBER_KINDS = (1, 2, 3, 4, 5, 6, 8, 9)
"""What SQLite calls whole numbers of 1, 2, 3, 4, 6 and 8 bytes, zero and one."""

_BLOCK = 512
"""Pages read at a time."""


def windows_of(content: bytes, step: int = 16) -> set[int]:
    """Return pieces of a deleted value, as numbers; every 24 bytes of it hold a whole one."""
    last = len(content) - WINDOW
    starts = {*range(0, last + 1, step), last} if last >= 0 else set()
    return {int.from_bytes(content[at : at + WINDOW], "little") for at in starts}


def forms_of(name: str, hash: bytes) -> set[bytes]:
    """Return what a name of a picture is known by: itself, or a short one with what precedes it.

    In the table that is the picture's hash. In the index of names it is the head of the entry: its
    own length, the kind of the text (13 + 2 x bytes), and that of the number behind it.

    Args:
        name: The name.
        hash: Of the picture.
    """
    text = name.encode()
    if len(text) >= SHORTEST:
        return {text}
    heads = {bytes((3, 13 + 2 * len(text), number)) for number in _NUMBER_KINDS}
    return {head + text for head in heads | {hash[-WINDOW:]} if len(head + text) >= SHORTEST}


def unused_parts(file: str | os.PathLike) -> Iterator[bytes]:
    """Yield what stands between the list of rows and the first row of pages, many pages at once.

    Parts are joined by zeros.
    """
    with open(file, "rb") as stream:
        size = int.from_bytes(stream.read(18)[16:], "big")
        size = 65_536 if size == 1 else size
        stream.seek(0)
        before = 100  # the header of the file
        while block := stream.read(_BLOCK * size):
            parts = []
            starts = np.arange(0, len(block) - before, size)
            starts[0] += before
            heads = np.frombuffer(block, dtype=np.uint8)[starts[:, None] + np.arange(7)].tolist()
            for number, (kind, _, _, high, low, top, bottom) in enumerate(heads):
                if kind not in _TREE_PAGES:
                    continue
                begin = int(starts[number]) + _TREE_PAGES[kind] + 2 * (256 * high + low)
                end = number * size + (256 * top + bottom or 65_536)
                part = block[begin:end]
                if part.strip(b"\0"):
                    parts.append(part)
            before = 0
            yield bytes(WINDOW).join(parts)


def holds_remains(file: str | os.PathLike, windows: set[int], texts: set[bytes]) -> bool:
    """Return whether a piece of a deleted value, or a deleted text, is still there.

    Args:
        file: The database; nobody else's writing is waited for.
        windows: From :func:`windows_of`.
        texts: Bytes as they would stand there, at least :data:`SHORTEST` each.
    """
    starts = {int.from_bytes(text[:SHORTEST], "little") for text in texts}
    numbers = {8: _Numbers(windows, "<u8"), SHORTEST: _Numbers(starts, "<u4")}
    lengths = sorted({len(text) for text in texts})
    for part in unused_parts(file):
        if len(numbers[8].places(part)):
            return True
        for place in numbers[SHORTEST].places(part).tolist():
            if any(part[place : place + length] in texts for length in lengths):
                return True
    return False


class _Numbers:
    """Numbers that are looked for at every place of some bytes."""

    def __init__(self, wanted: set[int], kind: str) -> None:
        self.kind = np.dtype(kind)
        self.wanted = np.array(sorted(wanted), dtype=self.kind)
        # Quick: two bytes rule out nearly every place.
        self.begins = np.zeros(65_536, dtype=bool)
        self.begins[(self.wanted & self.kind.type(65_535)).astype(np.int64)] = True

    def places(self, part: bytes) -> np.ndarray:
        """Return where they stand."""
        width = self.kind.itemsize
        if len(part) < width or not len(self.wanted):
            return np.zeros(0, dtype=np.int64)
        content = np.frombuffer(part, dtype=np.uint8)
        pairs = content[: 1 - width or None].astype(np.uint16)
        pairs |= content[1 : len(content) + 2 - width].astype(np.uint16) << 8
        likely = np.flatnonzero(self.begins[pairs])
        pieces = np.lib.stride_tricks.sliding_window_view(content, width)[likely]
        found = np.ascontiguousarray(pieces).view(self.kind).ravel()
        return likely[np.isin(found, self.wanted)]


def main() -> None:
    """Answer a question from standard input."""
    asked = json.load(sys.stdin)
    texts = {bytes.fromhex(text) for text in asked["texts"]}
    sys.stdout.write(str(int(holds_remains(sys.argv[1], set(asked["windows"]), texts))))


if __name__ == "__main__":
    main()
