"""Paths of pictures: the folders once, the names one behind another in one piece of memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

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

    def names(self, rows: np.ndarray) -> list[str]:
        """Return the names, without folders, of some paths, (R,) integers."""
        starts = self.starts[rows]
        stops = starts + self.lengths[rows]
        if len(rows) > 1 and stops[-1] - starts[0] == (stops - starts).sum():  # neighbours
            first = int(starts[0])
            text = self.text[first : int(stops[-1])]
            if text.isascii() and (starts[1:] == stops[:-1]).all():
                letters = text.decode("ascii")
                pairs = zip((starts - first).tolist(), (stops - first).tolist(), strict=True)
                return [letters[start:stop] for start, stop in pairs]
        pairs = zip(starts.tolist(), stops.tolist(), strict=True)
        return [self.text[start:stop].decode(*_CODING) for start, stop in pairs]

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
        cuts = [path.rfind(os.sep) + 1 for path in paths]
        pairs = list(zip(paths, cuts, strict=True))
        codes = [places.setdefault(path[:cut], len(places)) for path, cut in pairs]
        names: list[Any] = [path[cut:] for path, cut in pairs]
        text = "".join(names).encode(*_CODING)
        if len(text) > sum(map(len, names)):  # letters of several bytes
            names = [name.encode(*_CODING) for name in names]
        longest = max(map(len, names), default=0)
        lengths = np.array(list(map(len, names)), dtype=smallest_type(longest + 1))
        kind = smallest_type(len(places))
        return cls(list(places), np.array(codes, dtype=kind), text, _starts(lengths), lengths)

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
