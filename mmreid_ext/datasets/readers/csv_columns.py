"""The rows of a CSV list as columns of records, one row after another."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
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
from mmreid_ext.suggest import did_you_mean

from .csv_boxes import Box, BoxReader
from .ids import UNKNOWN, is_none, normalized, number_ids

ROLES = ("train", "query", "gallery")


class NumberedTexts:
    """A column of ids as written, each different text once."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.codes = array("I")

    def add(self, text: str) -> None:
        """Take the text of the next row."""
        self.codes.append(self.places.setdefault(text, len(self.places)))

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
        self._paths: list[str] = []
        self._box_list: list[Box | None] = []
        self._parts: list[PathColumn] = []
        self._box_parts: list[BoxColumn] = []
        self._prefixes: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._roles)

    def add(self, line: int, cells: Sequence[str]) -> None:
        """Take a row.

        Args:
            line: Its line in the file, for messages.
            cells: Text of every column.

        Raises:
            UserError: If it can't be used; nothing of it is taken then.
        """
        place = self._place
        path, pid, split = cells[place["path"]], cells[place["pid"]], cells[place["split"]]
        if split not in ROLES:
            raise UserError(
                f"{self.file}, line {line}: split {split!r} is none of {', '.join(ROLES)}"
                f"{did_you_mean(split, ROLES)}."
            )
        if not path or (pid not in self.pids.places and is_none(pid)):
            raise UserError(
                f"{self.file}, line {line}: path {path!r} and pid {pid!r}; every row needs both."
            )
        if self.boxes.columns:
            self._box_list.append(self.boxes.box(line, path, cells))
        self.pids.add(pid)
        self._camids.add(cells[place["camid"]] if "camid" in place else "")
        self._domains.add(cells[place["domain"]] if "domain" in place else "")
        self._roles.append(ROLES.index(split))
        self._paths.append(self._full(path))
        if len(self._paths) == CHUNK:
            self._close_part()

    def _full(self, path: str) -> str:
        """Return ``str(folder / path)``; to ask pathlib once per folder is five times faster."""
        path = path.replace("\\", "/")
        cut = path.rfind("/") + 1
        head, name = path[:cut], path[cut:]
        if name in ("", "."):
            return str(self.file.parent / path)
        if head not in self._prefixes:
            self._prefixes[head] = str(self.file.parent / f"{head}x")[:-1]
        return self._prefixes[head] + name

    def _close_part(self) -> None:
        self._parts.append(PathColumn.of(self._paths))
        self._paths.clear()
        if self.boxes.columns:
            self._box_parts.append(BoxColumn.of(self._box_list))
            self._box_list.clear()

    def table(self) -> RecordTable:
        """Return the records of all rows; call it once.

        Raises:
            UserError: If one number is spelled in two ways.
        """
        self._close_part()
        columns: dict[str, Column] = dict(
            img_path=PathColumn.joined(self._parts),
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
            columns["box"] = BoxColumn.joined(self._box_parts)
        return RecordTable(columns, len(self))

    def _names(self) -> list:
        """Names of the identities by their place, where they aren't their numbers."""
        texts = map(normalized, self.pids.places)
        numbers = self.pids.numbers(f"{self.file}, column 'pid'")
        pairs = zip(texts, numbers, strict=True)
        return [MISSING if text == str(number) else text for text, number in pairs]
