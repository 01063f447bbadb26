"""People's own images, listed in a CSV file."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.registry import DATASETS

from .folders import default_data_root
from .records import Record
from .reid_dataset import ReIDDataset

_NONE = ("", "none", "null", "nan", "-1")
_ROLES = ("train", "query", "gallery")


@DATASETS.register_module()
class CSVDataset(ReIDDataset):
    """Images listed in a file with the columns ``path,pid,camid,split`` and optionally ``domain``.

    * ``path``: relative to the folder of the file, or absolute.
    * ``pid``: a whole number or any name; names are numbered in sorted order.
    * ``camid``: a whole number or any name, numbered likewise; empty, ``none`` or no such column:
      unknown. Without any camera the test protocol is ``'no_camera'``.
    * ``split``: ``train``, ``query`` or ``gallery``.
    * ``domain``: a number or any name; where the column exists, ``domain_from`` defaults to
      ``'record'``.

    Args:
        csv_file: The file, relative to ``data_root``, or absolute.
        *args: See :class:`ReIDDataset`.
        **kwargs: See :class:`ReIDDataset`; ``name`` defaults to the name of the file's folder.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If a column or value is wrong; names the line.

    Example:
        >>> dataset = dict(
        ...     type='mmreid_ext.CSVDataset', csv_file='my_shop/annotations.csv', mode='test')
    """

    def __init__(
        self,
        csv_file: str | os.PathLike,
        data_root: str | os.PathLike | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        root = default_data_root() if data_root is None else Path(data_root)
        self.csv_file = root / csv_file
        self._domain_given = "domain_from" in kwargs
        kwargs["name"] = kwargs.get("name") or self.csv_file.resolve().parent.name
        super().__init__(self.csv_file.parent, *args, **kwargs)

    def find(self) -> Path:
        """The folder of the file."""
        if not self.csv_file.is_file():
            raise MissingFileError(
                f"{self.name}: no file {str(self.csv_file)!r}. Expected a CSV file with the header "
                "path,pid,camid,split (and optionally domain); paths are relative to its folder. "
                "csv_file is relative to data_root, which defaults to the environment variable "
                "MMREID_DATA_ROOT, else ./data."
            )
        return self.csv_file.parent

    def read(self, folder: Path) -> list[Record]:
        """Read the rows."""
        with open(self.csv_file, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            missing = {"path", "pid", "split"} - set(reader.fieldnames or ())
            if missing:
                raise UserError(
                    f"{self.csv_file} has the columns {reader.fieldnames}; {sorted(missing)} "
                    "missing. The first line must be path,pid,camid,split[,domain]."
                )
            rows = list(reader)
        for line, row in enumerate(rows, 2):
            self._check_row(line, row)
        pids = _numbers([row["pid"] for row in rows])
        camids = _numbers([row.get("camid") or "" for row in rows])
        domains = _numbers([row.get("domain") or "" for row in rows])
        if "domain" in (reader.fieldnames or ()) and not self._domain_given:
            self.domain_from = "record"
        return [
            dict(
                img_path=str(folder / row["path"]),
                pid=pid,
                camid=camid,
                role=row["split"],
                domain=domain,
            )
            for row, pid, camid, domain in zip(rows, pids, camids, domains, strict=True)
        ]

    def _check_row(self, line: int, row: dict[str, str | None]) -> None:
        if row["split"] not in _ROLES:
            raise UserError(
                f"{self.csv_file}, line {line}: split {row['split']!r} is none of "
                f"{', '.join(_ROLES)}."
            )
        if not row["path"] or (row["pid"] or "").strip().lower() in _NONE:
            raise UserError(
                f"{self.csv_file}, line {line}: path {row['path']!r} and pid {row['pid']!r}; every "
                "row needs both."
            )
        if None in row:
            raise UserError(
                f"{self.csv_file}, line {line}: more values than columns; quote paths with commas."
            )

    def protocol_of(self, records: list[Record]) -> str | Mapping[str, Any]:
        """Without cameras there is no camera rule."""
        if self.protocol is None and all(record["camid"] < 0 for record in records):
            return "no_camera"
        return super().protocol_of(records)


def _numbers(values: list[str]) -> list[int]:
    """Whole numbers as they are; else the position among the sorted names; -1 for none."""
    given = [value.strip() for value in values]
    known = {value for value in given if value.lower() not in _NONE}
    if all(value.isdecimal() for value in known):
        number = {value: int(value) for value in known}
    else:
        number = {value: i for i, value in enumerate(sorted(known))}
    return [number.get(value, -1) for value in given]
