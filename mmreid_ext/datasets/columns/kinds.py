"""One value per record in little memory: integers, a few words, boxes, anything else.

Shapes: N records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Protocol

import numpy as np


class Missing(Enum):
    """What stands where a record lacks a value; a copy of it is itself."""

    MISSING = "missing"


MISSING: Any = Missing.MISSING
"""Stands where a record lacks a value."""


class Column(Protocol):
    """One value per record, or :data:`MISSING`."""

    def __len__(self) -> int: ...

    def get(self, row: int) -> Any:
        """Return the value of one record."""

    def values(self, start: int, stop: int) -> list:
        """Return the values of neighbouring records."""

    def take(self, rows: np.ndarray) -> Column:
        """Return the column of some records, (R,) integers, in that order."""


class IntColumn:
    """Integers.

    Args:
        numbers: Shape (N,), int64.
        given: Which records have one, shape (N,), bool. None: all.
    """

    def __init__(self, numbers: np.ndarray, given: np.ndarray | None = None) -> None:
        self.numbers, self.given = numbers, given

    def __len__(self) -> int:
        return len(self.numbers)

    def get(self, row: int) -> Any:
        """Return the value of one record."""
        is_given = self.given is None or self.given[row]
        return int(self.numbers[row]) if is_given else MISSING

    def values(self, start: int, stop: int) -> list:
        """Return the values of neighbouring records."""
        found = self.numbers[start:stop].tolist()
        if self.given is None:
            return found
        given = self.given[start:stop].tolist()
        return [value if there else MISSING for value, there in zip(found, given, strict=True)]

    def take(self, rows: np.ndarray) -> IntColumn:
        """Return the column of some records."""
        return IntColumn(self.numbers[rows], None if self.given is None else self.given[rows])

    @classmethod
    def joined(cls, parts: Sequence[IntColumn]) -> IntColumn:
        """String columns together."""
        given = None
        if any(part.given is not None for part in parts):
            given = np.concatenate(
                [np.ones(len(p), dtype=bool) if p.given is None else p.given for p in parts]
            )
        return cls(np.concatenate([part.numbers for part in parts]), given)


class WordColumn:
    """Words, or any other values, of which there are few.

    Args:
        codes: Place of the value in ``words``, shape (N,), unsigned.
        words: The values; :data:`MISSING` may be one.
    """

    def __init__(self, codes: np.ndarray, words: Iterable[Any]) -> None:
        self.codes, self.words = codes, list(words)

    def __len__(self) -> int:
        return len(self.codes)

    def get(self, row: int) -> Any:
        """Return the value of one record."""
        return self.words[self.codes[row]]

    def values(self, start: int, stop: int) -> list:
        """Return the values of neighbouring records."""
        return [self.words[code] for code in self.codes[start:stop].tolist()]

    def take(self, rows: np.ndarray) -> WordColumn:
        """Return the column of some records."""
        return WordColumn(self.codes[rows], self.words)

    def equal(self, word: Any) -> np.ndarray:
        """Return which records have that value, (N,), bool."""
        if word not in self.words:
            return np.zeros(len(self.codes), dtype=bool)
        return self.codes == self.words.index(word)

    @classmethod
    def of(cls, values: Sequence[Any]) -> WordColumn:
        """Number the values by their first appearance."""
        places: dict[Any, int] = {}
        codes = [places.setdefault(value, len(places)) for value in values]
        return cls(np.array(codes, dtype=smallest_type(len(places))), places)

    @classmethod
    def joined(cls, parts: Sequence[WordColumn]) -> WordColumn:
        """String columns together."""
        places: dict[Any, int] = {}
        maps = [[places.setdefault(word, len(places)) for word in part.words] for part in parts]
        kind = smallest_type(len(places))
        codes = [np.array(m, dtype=kind)[p.codes] for m, p in zip(maps, parts, strict=True)]
        return cls(np.concatenate(codes), places)


class BoxColumn:
    """Parts of pictures.

    Args:
        edges: Left, top, width, height, shape (N, 4), float64; NaN where a record has no box.
    """

    def __init__(self, edges: np.ndarray) -> None:
        self.edges = edges

    def __len__(self) -> int:
        return len(self.edges)

    def get(self, row: int) -> Any:
        """Return the value of one record."""
        box = tuple(self.edges[row].tolist())
        return box if box[0] == box[0] else MISSING

    def values(self, start: int, stop: int) -> list:
        """Return the values of neighbouring records."""
        boxes = map(tuple, self.edges[start:stop].tolist())
        return [box if box[0] == box[0] else MISSING for box in boxes]

    def take(self, rows: np.ndarray) -> BoxColumn:
        """Return the column of some records."""
        return BoxColumn(self.edges[rows])

    @classmethod
    def of(cls, boxes: Sequence[Any]) -> BoxColumn:
        """Take boxes, and :data:`MISSING` or None where there is none."""
        none = (np.nan,) * 4
        rows = [none if box is MISSING or box is None else box for box in boxes]
        return cls(np.array(rows, dtype=np.float64).reshape(-1, 4))

    @classmethod
    def joined(cls, parts: Sequence[BoxColumn]) -> BoxColumn:
        """String columns together."""
        return cls(np.concatenate([part.edges for part in parts]))


class NoColumn:
    """No value at all.

    Args:
        count: Number of records, N.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def get(self, row: int) -> Any:
        """Return the value of one record: none."""
        return MISSING

    def values(self, start: int, stop: int) -> list:
        """Return the values of neighbouring records: none."""
        return [MISSING] * len(range(self.count)[start:stop])

    def take(self, rows: np.ndarray) -> NoColumn:
        """Return the column of some records."""
        return NoColumn(len(rows))


class OtherColumn:
    """Values of any kind, as they are: what a reader of one's own may note.

    Args:
        objects: N values.
    """

    def __init__(self, objects: list) -> None:
        self.objects = objects

    def __len__(self) -> int:
        return len(self.objects)

    def get(self, row: int) -> Any:
        """Return the value of one record."""
        return self.objects[row]

    def values(self, start: int, stop: int) -> list:
        """Return the values of neighbouring records."""
        return self.objects[start:stop]

    def take(self, rows: np.ndarray) -> OtherColumn:
        """Return the column of some records."""
        return OtherColumn([self.objects[row] for row in rows.tolist()])


def smallest_type(count: int) -> np.dtype:
    """Return the smallest unsigned type that numbers ``count`` things from 0."""
    return np.min_scalar_type(max(count - 1, 0))
