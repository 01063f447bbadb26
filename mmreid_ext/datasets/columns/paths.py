"""Paths of pictures: the folders once, the names one behind another in one piece of memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np

from .kinds import smallest_type

_CODING = ("utf-8", "surrogatepass")  # file names need not be Unicode


class PathColumn:
    """Paths, N of them.

    Args:
        folders: The folders, with the separator behind each; '' for none.
        codes: Place of each path's folder in ``folders``, shape (N,), unsigned.
        text: The names, encoded.
        starts: Where each name begins in ``text``, shape (N,), int64.
        lengths: Bytes of each name, shape (N,), unsigned.
    """

    def __init__(
        self,
        folders: Sequence[str],
        codes: np.ndarray,
        text: bytes,
        starts: np.ndarray,
        lengths: np.ndarray,
    ) -> None:
        self.folders, self.codes = list(folders), codes
        self.text, self.starts, self.lengths = text, starts, lengths

    def __len__(self) -> int:
        return len(self.codes)

    def get(self, row: int) -> str:
        """Return one path."""
        start = int(self.starts[row])
        name = self.text[start : start + int(self.lengths[row])]
        return self.folders[self.codes[row]] + name.decode(*_CODING)

    def values(self, start: int, stop: int) -> list[str]:
        """Return neighbouring paths."""
        codes = self.codes[start:stop].tolist()
        names = self.names(np.arange(start, min(stop, len(self))))
        return [self.folders[code] + name for code, name in zip(codes, names, strict=True)]

    def names(self, rows: np.ndarray) -> Iterator[str]:
        """Yield the names, without folders, of some paths, (R,) integers."""
        starts = self.starts[rows]
        stops = starts + self.lengths[rows]
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            yield self.text[start:stop].decode(*_CODING)

    def take(self, rows: np.ndarray) -> PathColumn:
        """Return the column of some records; the text is shared unless little of it is needed."""
        starts, lengths, text = self.starts[rows], self.lengths[rows], self.text
        used = int(lengths.sum(dtype=np.int64))
        if 2 * used < len(text):
            stops = (starts + lengths).tolist()
            text = b"".join(
                text[start:stop] for start, stop in zip(starts.tolist(), stops, strict=True)
            )
            starts = _starts(lengths)
        return PathColumn(self.folders, self.codes[rows], text, starts, lengths)

    @classmethod
    def of(cls, paths: Sequence[str]) -> PathColumn:
        """Take paths apart."""
        places: dict[str, int] = {}
        codes, names = [], []
        for path in paths:
            cut = path.rfind(os.sep) + 1
            codes.append(places.setdefault(path[:cut], len(places)))
            names.append(path[cut:].encode(*_CODING))
        longest = max(map(len, names), default=0)
        lengths = np.array([len(name) for name in names], dtype=smallest_type(longest + 1))
        kind = smallest_type(len(places))
        return cls(
            list(places), np.array(codes, dtype=kind), b"".join(names), _starts(lengths), lengths
        )

    @classmethod
    def joined(cls, parts: Sequence[PathColumn]) -> PathColumn:
        """String columns together."""
        places: dict[str, int] = {}
        maps = [[places.setdefault(name, len(places)) for name in part.folders] for part in parts]
        kind = smallest_type(len(places))
        codes = [np.array(m, dtype=kind)[p.codes] for m, p in zip(maps, parts, strict=True)]
        before = np.cumsum([0, *(len(part.text) for part in parts)]).tolist()
        return cls(
            list(places),
            np.concatenate(codes),
            b"".join(part.text for part in parts),
            np.concatenate([p.starts + n for p, n in zip(parts, before, strict=False)]),
            np.concatenate([part.lengths for part in parts]),
        )


def _starts(lengths: np.ndarray) -> np.ndarray:
    ends = np.cumsum(lengths, dtype=np.int64)
    return ends - lengths
