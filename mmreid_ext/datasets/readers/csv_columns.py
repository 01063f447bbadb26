"""The rows of a CSV list as columns of records, one row after another."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from mmreid_ext.datasets.columns.kinds import (
    MISSING,
    BoxColumn,
    Column,
    IntColumn,
    WordColumn,
    smallest_type,
)
from mmreid_ext.datasets.columns.paths import PathColumn
from mmreid_ext.datasets.columns.table import CHUNK, RecordTable
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import brief
from mmreid_ext.suggest import did_you_mean

from .csv_boxes import Box, BoxReader
from .ids import UNKNOWN, is_none, normalized, number_ids

ROLES = ("train", "query", "gallery")


class NumberedTexts:
    """A column of ids as written, each different text once."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.codes = array("I")

    def extend(self, texts: Sequence[str]) -> None:
        """Take the texts of the next rows."""
        places = self.places
        self.codes.extend([places.setdefault(text, len(places)) for text in texts])

    def numbers(self, where: str) -> list[int]:
        """Return the number of every text by its place, see :func:`.ids.number_ids`."""
        found = number_ids(self.places, where)
        return [found.get(normalized(text), UNKNOWN) for text in self.places]

    def column(self, where: str) -> IntColumn:
        """Return the number of every row."""
        numbers = np.array(self.numbers(where) or [UNKNOWN], dtype=np.int64)
        return IntColumn(numbers[np.frombuffer(self.codes, dtype=np.uint32)])


class CSVColumns:
    """Collect the rows of a list.

    Args:
        csv_file: The list; its folder is that of relative paths.
        names: Columns of the file.

    Attributes:
        pids: The identities as they are written.
    """

    def __init__(self, csv_file: Path, names: Sequence[str]) -> None:
        self.file, self.boxes = csv_file, BoxReader(csv_file, names)
        self._place = {name: place for place, name in enumerate(names)}
        self.pids, self._camids, self._domains = (NumberedTexts() for _ in range(3))
        self._roles = array("B")
        self._parts: list[PathColumn] = []
        self._box_parts: list[BoxColumn] = []
        self._prefixes: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._roles)

    def extend(self, rows: Iterable[tuple[int, list[str]]], wrong: list[str] | None = None) -> int:
        """Take rows.

        Args:
            rows: The line in the file, and the text of every column.
            wrong: Takes a message for each row that can't be used; it is left out. None: the first
                one is an error.

        Returns:
            How many rows there were.

        Raises:
            UserError: If a row can't be used.
        """
        rows, count = iter(rows), 0
        if wrong is None:
            self.boxes.check_columns()
        while chunk := list(islice(rows, CHUNK)):
            count += len(chunk)
            texts = list(zip(*(cells for _, cells in chunk), strict=True))
            boxes: list[Box | None] = []
            if self.boxes.columns or not self._are_usable(texts):
                texts, boxes = self._row_by_row(chunk, wrong)
            if texts:
                self._take(texts, boxes)
        return count

    def _are_usable(self, texts: Sequence[Sequence[str]]) -> bool:
        """Whether all rows of a chunk can be used as they are; far quicker than row by row."""
        paths, pids, splits = (texts[self._place[name]] for name in ("path", "pid", "split"))
        new = set(pids).difference(self.pids.places)
        return set(splits) <= set(ROLES) and all(paths) and not any(map(is_none, new))

    def _row_by_row(
        self, rows: Sequence[tuple[int, list[str]]], wrong: list[str] | None
    ) -> tuple[list[tuple[str, ...]], list[Box | None]]:
        """Return the columns, and the boxes, of the rows that can be used."""
        kept, boxes = [], []
        for line, cells in rows:
            try:
                self._check_row(line, cells)
                if self.boxes.columns:
                    boxes.append(self.boxes.box(line, cells[self._place["path"]], cells))
            except UserError as error:
                if wrong is None:
                    raise
                wrong.append(str(error))
                continue
            kept.append(cells)
        return list(zip(*kept, strict=True)), boxes

    def _check_row(self, line: int, cells: Sequence[str]) -> None:
        path, pid, split = (cells[self._place[name]] for name in ("path", "pid", "split"))
        where = f"{self.file}, line {line}"
        if split not in ROLES:
            raise UserError(
                f"{where}: split {brief(split)} is none of {', '.join(ROLES)}"
                f"{did_you_mean(split, ROLES)}."
            )
        if not path or is_none(pid):
            raise UserError(
                f"{where}: path {brief(path)} and pid {brief(pid)}; every row needs both."
            )

    def _take(self, texts: Sequence[Sequence[str]], boxes: Sequence[Box | None]) -> None:
        """Take rows that can be used, as columns."""
        none = ("",) * len(texts[0])
        by_name = {name: texts[place] for name, place in self._place.items()}
        self.pids.extend(by_name["pid"])
        self._camids.extend(by_name.get("camid", none))
        self._domains.extend(by_name.get("domain", none))
        self._roles.extend(map(ROLES.index, by_name["split"]))
        self._parts.append(PathColumn.of(self._full(by_name["path"])))
        if self.boxes.columns:
            self._box_parts.append(BoxColumn.of(boxes))

    def _full(self, paths: Sequence[str]) -> list[str]:
        """Return ``str(folder / path)``; to ask pathlib once per folder is five times faster."""
        found, prefixes = [], self._prefixes
        for path in paths:
            path = path.replace("\\", "/")
            cut = path.rfind("/") + 1
            head, name = path[:cut], path[cut:]
            if head not in prefixes:
                prefixes[head] = str(self.file.parent / f"{head}x")[:-1]
            is_plain = name not in ("", ".")
            found.append(prefixes[head] + name if is_plain else str(self.file.parent / path))
        return found

    def table(self) -> RecordTable:
        """Return the records of all rows; call it once.

        Raises:
            UserError: If one number is spelled in two ways.
        """
        columns: dict[str, Column] = dict(
            img_path=PathColumn.joined(self._parts or [PathColumn.of([])]),
            pid=self.pids.column(f"{self.file}, column 'pid'"),
            camid=self._camids.column(f"{self.file}, column 'camid'"),
            role=WordColumn(np.frombuffer(self._roles, dtype=np.uint8), ROLES),
            domain=self._domains.column(f"{self.file}, column 'domain'"),
        )
        names = self._names()
        if any(name is not MISSING for name in names):
            codes = np.frombuffer(self.pids.codes, dtype=np.uint32)
            columns["pid_name"] = WordColumn(codes.astype(smallest_type(len(names))), names)
        if self.boxes.columns:
            columns["box"] = BoxColumn.joined(self._box_parts or [BoxColumn.of([])])
        return RecordTable(columns, len(self))

    def _names(self) -> list:
        """Names of the identities by their place, where they aren't their numbers."""
        texts = map(normalized, self.pids.places)
        numbers = self.pids.numbers(f"{self.file}, column 'pid'")
        pairs = zip(texts, numbers, strict=True)
        return [MISSING if text == str(number) else text for text, number in pairs]
