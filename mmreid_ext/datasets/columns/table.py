"""A list of image records that is held as columns.

A record is a dict ``img_path, pid, camid, role`` as a reader makes it; labelling adds ``domain``,
``dataset`` and, for training, ``gt_label``. A million dicts take half a gigabyte, and every worker
of a loader would get its own copy, since reading a Python object writes into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, SupportsIndex, overload

import numpy as np

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.pictures.boxes import picture_key
from mmreid_ext.shorten import brief, one_line

from .choice import INT64, column_of, joined_columns
from .kinds import MISSING, Column, IntColumn, NoColumn, WordColumn, smallest_type
from .paths import PathColumn

Record = dict

CHUNK = 1024
"""Records that are dicts at a time."""


class ReadRecord(dict):
    """A record of a table, a copy: to write into it would change nothing, so that is refused."""

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise UserTypeError(
            "A record of a table can't be changed: its dict is a copy. Make new dicts of them, "
            "[{**record, 'pid': 7} for record in records], or use the table's method put()."
        )

    __setitem__ = __delitem__ = update = pop = popitem = clear = setdefault = __ior__ = _refuse

    def copy(self) -> Record:
        """Return a dict that can be changed."""
        return dict(self)

    def __reduce__(self) -> tuple:
        return dict, (dict(self),)


class RecordTable(Sequence[Record]):
    """Image records as columns. It reads like a list of dicts; each dict is made when asked for.

    The dicts can't be changed: use :meth:`put`.

    Args:
        columns: Values by key, N each.
        length: Number of records, N.
    """

    def __init__(self, columns: dict[str, Column], length: int) -> None:
        self.columns, self._length = dict(columns), length

    @classmethod
    def of(cls, records: Iterable[Record]) -> RecordTable:
        """Take records, one after another; a table is returned itself."""
        if isinstance(records, RecordTable):
            return records
        records, parts = iter(records), []
        while chunk := list(islice(records, CHUNK)):
            keys = dict.fromkeys(key for record in chunk for key in record)
            columns = {k: column_of(k, [r.get(k, MISSING) for r in chunk]) for k in keys}
            parts.append(cls(columns, len(chunk)))
        return cls.joined(parts)

    @classmethod
    def joined(cls, parts: Sequence[RecordTable]) -> RecordTable:
        """String tables together."""
        keys = dict.fromkeys(key for part in parts for key in part.columns)
        columns = {
            key: joined_columns([part.columns.get(key, NoColumn(len(part))) for part in parts])
            for key in keys
        }
        return cls(columns, sum(map(len, parts)))

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: SupportsIndex) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> RecordTable: ...

    def __getitem__(self, index: SupportsIndex | slice) -> Record | RecordTable:
        """Return a record, a new dict, or a table of some."""
        if isinstance(index, slice):
            return self.take(np.arange(self._length)[index])
        row = range(self._length)[index]
        return ReadRecord(
            {
                key: value
                for key, column in self.columns.items()
                if (value := column.get(row)) is not MISSING
            }
        )

    def __iter__(self) -> Iterator[Record]:
        for start in range(0, self._length, CHUNK):
            values = [column.values(start, start + CHUNK) for column in self.columns.values()]
            for row in zip(*values, strict=True):
                pairs = zip(self.columns, row, strict=True)
                yield ReadRecord((key, value) for key, value in pairs if value is not MISSING)

    def __eq__(self, other: object) -> bool:
        """Whether another list holds the same records."""
        if not isinstance(other, Sequence) or len(other) != len(self):
            return NotImplemented if not isinstance(other, Sequence) else False
        return all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def take(self, rows: np.ndarray) -> RecordTable:
        """Return the table of some records.

        Args:
            rows: Integers or a mask over the records; in that order.
        """
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        if len(rows) == self._length and np.array_equal(rows, np.arange(self._length)):
            return RecordTable(self.columns, self._length)
        return RecordTable({k: column.take(rows) for k, column in self.columns.items()}, len(rows))

    def ints(self, key: str) -> np.ndarray:
        """Return the integers under a key, (N,), int64; they must only be read.

        Raises:
            KeyError: If a record has none.
            UserError: If one is beyond 64 bits.
        """
        column = self.columns.get(key)
        if isinstance(column, IntColumn) and column.given is None:
            return column.numbers
        try:
            return np.fromiter((record[key] for record in self), dtype=np.int64, count=len(self))
        except OverflowError:
            record = next(one for one in self if one[key] not in INT64)
            raise UserError(
                f"Image {one_line(record.get('img_path'), 300)!r}: {key}={brief(record[key])} is "
                "beyond 64 bits; give it a smaller number."
            ) from None

    def equal(self, key: str, value: Any) -> np.ndarray:
        """Return which records have that value under the key, (N,), bool."""
        column = self.columns.get(key)
        if isinstance(column, WordColumn):
            return column.equal(value)
        values = (record.get(key, MISSING) == value for record in self)
        return np.fromiter(values, dtype=bool, count=len(self))

    def texts(self, key: str) -> np.ndarray:
        """Return the words under a key as an array of strings, (N,)."""
        column = self.columns.get(key)
        if isinstance(column, WordColumn) and MISSING not in column.words:
            words = np.array(column.words, dtype=np.str_)
            return words[column.codes] if len(words) > 1 else np.broadcast_to(words, len(self))
        return np.array([record[key] for record in self], dtype=np.str_)

    def put(self, key: str, value: np.ndarray | str) -> None:
        """Set a value of every record: integers (N,), or one word for all."""
        if isinstance(value, str):
            codes = np.zeros(self._length, dtype=smallest_type(1))
            self.columns[key] = WordColumn(codes, [value])
        else:
            self.columns[key] = IntColumn(np.asarray(value, dtype=np.int64))

    @property
    def path_column(self) -> PathColumn:
        """The paths of the pictures."""
        column = self.columns.get("img_path", PathColumn.of([]))
        if isinstance(column, PathColumn):
            return column
        return PathColumn.of([str(path) for path in column.values(0, self._length)])

    def paths(self) -> Iterator[str]:
        """Yield the paths of the pictures, in order."""
        for start in range(0, self._length, CHUNK):
            yield from self.columns["img_path"].values(start, start + CHUNK)

    def keys(self) -> Iterator[str]:
        """Yield one name per picture, in order: its path, and its box if it is a crop."""
        boxes = self.columns.get("box")
        if boxes is None:
            yield from self.paths()
            return
        for start in range(0, self._length, CHUNK):
            stop = start + CHUNK
            paths = self.columns["img_path"].values(start, stop)
            for path, box in zip(paths, boxes.values(start, stop), strict=True):
                yield picture_key(path, {} if box is MISSING else {"box": box})
