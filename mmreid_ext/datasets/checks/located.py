"""Find the files of a table of records, and which records are of one picture, in little memory.

Paths that are alike are found by 64-bit hashes, and then compared letter by letter.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from mmreid_ext.datasets.columns.kinds import MISSING
from mmreid_ext.datasets.columns.paths import PathColumn
from mmreid_ext.datasets.columns.table import CHUNK, RecordTable
from mmreid_ext.pictures.boxes import picture_key

from .image_files import FEW, content_keys, is_remote, plain_files, without_parts


class Located:
    """The files of records, N of them, links resolved.

    Args:
        records: The records.
        by_content: Whether pictures are alike if their bytes are; otherwise if they are one file.
            To compare bytes reads all files.

    Attributes:
        found: Which files are there, (N,), bool. Those of object stores and servers are not looked
            for.
        marks: Hash of the picture of each record, (N,), int64: of its file or its content, and of
            its box.
    """

    def __init__(self, records: RecordTable, by_content: bool = False) -> None:
        self._paths = records.path_column
        self._boxes = records.columns.get("box")
        self._places: list[str] = [""] * len(self._paths.folders)
        self._elsewhere: dict[int, str] = {}
        self.by_content = by_content
        self.found = np.zeros(len(records), dtype=bool)
        self.marks = np.zeros(len(records), dtype=np.int64)
        self._files = self.marks  # hashes of the files alone
        for code, rows in _by_folder(self._paths):
            self._look(code, rows)
        if by_content:
            self._read_contents()

    def __len__(self) -> int:
        return len(self.found)

    def _look(self, code: int, rows: np.ndarray) -> None:
        """Find the files of one folder."""
        folder = self._paths.folders[code]
        remote = is_remote(folder)
        real = folder if remote else os.path.join(os.path.realpath(folder), "")
        plain = frozenset() if remote or len(rows) <= FEW else plain_files(folder)
        self._places[code] = real
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            names = self._paths.names(part)
            if self._boxes is None and not remote:  # the usual case, three times as fast
                there = np.array([name in plain and "#" not in name for name in names])
                self.found[part] = there
                self._files[part] = self.marks[part] = [hash(real + name) for name in names]
                names = [names[place] for place in np.flatnonzero(~there).tolist()]
                part = part[~there]
            for row, name in zip(part.tolist(), names, strict=True):
                self._look_at(row, folder, name, remote or name in plain)

    def _look_at(self, row: int, folder: str, path: str, there: bool) -> None:
        """Find one file."""
        name, fragment = self._parts(row, path)
        real = self._places[self._paths.codes[row]]
        file = real + name
        if not there and _is_there(folder + name):
            # a link, or another spelling that the system takes
            there, file = True, os.path.realpath(folder + name)
        elif not there:
            file = folder + name
        if file != real + name:
            self._elsewhere[row] = file
        self.found[row] = there
        self.marks[row] = hash(file + fragment)
        if fragment and self._files is self.marks:
            self._files = self.marks.copy()
        if self._files is not self.marks:
            self._files[row] = hash(file)

    def _parts(self, row: int, name: str) -> tuple[str, str]:
        """Return the name of a file, and what names a part of its picture, mostly nothing."""
        box = MISSING if self._boxes is None else self._boxes.get(row)
        if box is not MISSING and box is not None:
            return name, picture_key("", {"box": box})
        if "#" not in name:
            return name, ""
        names, parts = without_parts([name])
        return names[0], parts[0]

    def _file_and_part(self, row: int) -> tuple[str, str]:
        name, fragment = self._parts(row, self._paths.names(np.array([row]))[0])
        file = self._elsewhere.get(row)
        return file or self._places[self._paths.codes[row]] + name, fragment

    def file(self, row: int) -> str:
        """Return the file of a record, and its box if it has one; its path if it isn't there."""
        return "".join(self._file_and_part(row))

    def picture_file(self, row: int) -> str:
        """Return the file of a record without its box."""
        return self._file_and_part(row)[0]

    def key(self, row: int) -> str:
        """Return a text that is equal for equal pictures."""
        if self.by_content and self.found[row]:
            return content_keys([self.file(row)])[0]
        return self.file(row)

    def _read_contents(self) -> None:
        for row in np.flatnonzero(self.found).tolist():
            self.marks[row] = hash(self.key(row))

    def repeated(self) -> list[list[int]]:
        """Return the records of every picture that is there and has several, in order."""
        rows = np.flatnonzero(self.found)
        marks, counts = np.unique(self.marks[rows], return_counts=True)
        alike = rows[np.isin(self.marks[rows], marks[counts > 1])] if len(marks) else rows
        by_picture: dict[str, list[int]] = defaultdict(list)
        for row in alike.tolist() if len(marks) < len(rows) else []:
            by_picture[self.key(row)].append(row)
        return [same for same in by_picture.values() if len(same) > 1]

    def first_of_each(self) -> np.ndarray:
        """Return the first record of every picture, there or not, ascending."""
        is_first = np.ones(len(self), dtype=bool)
        marks, counts = np.unique(self.marks, return_counts=True)
        seen: set[str] = set()
        for row in np.flatnonzero(np.isin(self.marks, marks[counts > 1])).tolist():
            key = self.key(row)
            is_first[row] = key not in seen
            seen.add(key)
        return np.flatnonzero(is_first)

    def picture_rows(self) -> np.ndarray:
        """Return one record of every picture file that is there on this machine, ascending."""
        rows = np.flatnonzero(self.found)
        _, first = np.unique(self._files[rows], return_index=True)
        remote = np.array([is_remote(place) for place in self._places], dtype=bool)
        rows = rows[np.sort(first)]
        return rows[~remote[self._paths.codes[rows]]]

    def shared_with(self, others: Iterable[Located]) -> list[tuple[int, str]]:
        """Return the records, with their keys, whose pictures are also in other tables."""
        rows = np.flatnonzero(self.found)
        hits: list[tuple[int, str]] = []
        for other in others:
            theirs = np.flatnonzero(other.found)
            mine = rows[np.isin(self.marks[rows], other.marks[theirs])]
            if not len(mine):
                continue
            alike = theirs[np.isin(other.marks[theirs], self.marks[mine])]
            keys = {other.key(row) for row in alike.tolist()}
            found = ((row, self.key(row)) for row in mine.tolist())
            hits += [(row, key) for row, key in found if key in keys]
        return hits


def _by_folder(paths: PathColumn) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the place of every folder, and the rows in it, ascending."""
    order = np.argsort(paths.codes, kind="stable")
    sizes = np.bincount(paths.codes, minlength=len(paths.folders))
    ends = np.cumsum(sizes)
    for code, (end, size) in enumerate(zip(ends.tolist(), sizes.tolist(), strict=True)):
        if size:
            yield code, order[end - size : end]


def _is_there(path: str) -> bool:
    return os.path.exists(path) and not os.path.isdir(path)
