"""People's own images, listed in a CSV file."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmreid_ext.datasets.folders import default_data_root
from mmreid_ext.datasets.records import Record, RecordTable, column, pid_names
from mmreid_ext.datasets.reid_dataset import ProtocolSpec, ReIDDataset
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.pictures.boxes import BOX_COLUMNS
from mmreid_ext.registry import DATASETS
from mmreid_ext.suggest import did_you_mean

from .csv_columns import CSVColumns
from .csv_table import stream_table
from .ids import normalized, number_ids

_COLUMNS = ("path", "pid", "camid", "split", "domain", *BOX_COLUMNS)
_REQUIRED = ("path", "pid", "split")


@DATASETS.register_module()
class CSVDataset(ReIDDataset):
    r"""Images listed in a file with the columns ``path,pid,camid,split`` and a few optional ones.

    * ``path``: relative to the folder of the file, or absolute; ``/`` or ``\`` between folders.
    * ``pid``: a whole number or any name; see :func:`.ids.number_ids`. Names
      stay in the records as ``pid_name`` and in ``metainfo['pid_names']``.
    * ``camid``: a whole number or any name, numbered likewise; empty, ``none`` or no such column:
      unknown. Without any camera the test protocol is ``'no_camera'``, and a warning says so.
    * ``split``: ``train``, ``query`` or ``gallery``.
    * ``domain``: a number or any name; where the column exists, ``domain_from`` defaults to
      ``'record'``.
    * ``x,y,w,h``: the image is this part of the picture: left and top edge, width and height in
      pixels. All four or none; a row that leaves them empty is the whole picture.

    Values are separated by commas, semicolons or tabs, as the header is. Other columns are refused,
    because a misspelt ``camid`` would switch the camera rule off.

    Attributes:
        wrong_rows: Where :meth:`read` notes rows that can't be used, and leaves them out. None: the
            first one is an error.

    Args:
        csv_file: The file, relative to ``data_root``, or absolute.
        *args: See :class:`ReIDDataset`.
        ignore_columns: Names of further columns, which are left out.
        encoding: Encoding of the file. None: UTF-8, or UTF-16 if the file begins with its mark.
        **kwargs: See :class:`ReIDDataset`; ``name`` defaults to the name of the file's folder.
            ``identities`` takes names as well as numbers.

    Raises:
        MissingFileError: If the file is missing.
        UserError: If a column or value is wrong; names the line.

    Example:
        >>> dataset = dict(
        ...     type='mmreid_ext.CSVDataset', csv_file='my_shop/annotations.csv', mode='test')
    """

    def __init__(
        self,
        csv_file: str | os.PathLike,
        data_root: str | os.PathLike | None = None,
        *args: Any,
        ignore_columns: Collection[str] = (),
        encoding: str | None = None,
        **kwargs: Any,
    ) -> None:
        root = default_data_root() if data_root is None else Path(data_root)
        self.csv_file = root / csv_file
        self.ignore_columns, self.encoding = ignore_columns, encoding
        self.wrong_rows: list[str] | None = None
        self._domain_given = "domain_from" in kwargs
        kwargs["name"] = kwargs.get("name") or self.csv_file.resolve().parent.name
        super().__init__(self.csv_file.parent, *args, **kwargs)

    def find(self) -> Path:
        """Return the folder of the file."""
        if not self.csv_file.is_file():
            raise MissingFileError(
                f"{self.name}: no file {str(self.csv_file)!r}. Expected a CSV file with the header "
                "path,pid,camid,split (and optionally domain,x,y,w,h); "
                "paths are relative to its folder. "
                "csv_file is relative to data_root, which defaults to the environment variable "
                "MMREID_DATA_ROOT, else ./data."
            )
        return self.csv_file.parent

    def read(self, folder: Path) -> RecordTable:
        """Read the rows, one after another."""
        columns, rows = stream_table(
            self.csv_file,
            _COLUMNS,
            _REQUIRED,
            ignored=self.ignore_columns,
            encoding=self.encoding,
            wrong=self.wrong_rows,
        )
        self.list_files = (self.csv_file.name,)
        found = CSVColumns(self.csv_file, columns)
        if not found.extend(rows, self.wrong_rows):
            self.empty.append(f"{self.csv_file} (it lists nothing)")
        if "domain" in columns and not self._domain_given:
            self.domain_from = "record"
        table = found.table()
        self._metainfo["pid_names"] = pid_names(table)
        self._number_identities(number_ids(found.pids.places, f"{self.csv_file}, column 'pid'"))
        return table

    def _number_identities(self, pids: Mapping[str, int]) -> None:
        """Replace names in the option ``identities`` by their numbers."""
        if self.identities is None:
            return
        numbers = []
        for value in self.identities:
            if isinstance(value, str) and normalized(value) not in pids:
                raise UserError(
                    f"{self.csv_file} has no identity {value!r}{did_you_mean(value, pids)}; see "
                    "the option `identities`."
                )
            numbers.append(pids[normalized(value)] if isinstance(value, str) else value)
        self.identities = numbers

    def protocol_of(self, records: Sequence[Record]) -> ProtocolSpec:
        """Without cameras there is no camera rule."""
        return "no_camera" if self._lacks_cameras(records) else super().protocol_of(records)

    def _lacks_cameras(self, records: Sequence[Record]) -> bool:
        return self.protocol is None and bool((column(records, "camid") < 0).all())

    def _finish(self, records: RecordTable, where: str) -> list[str]:
        messages = super()._finish(records, where)
        if self.mode == "test" and self._lacks_cameras(records):
            messages.append(
                f"{where}: no image has a camera (column 'camid'), so the camera rule is off: "
                "images of a query's own camera count as matches, and scores are higher than with "
                "the rule. protocol='no_camera' says that this is meant."
            )
        return messages
