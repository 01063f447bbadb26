"""The boxes of a CSV list, checked against the pictures that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmreid_ext.datasets.checks.image_files import is_remote
from mmreid_ext.errors import UserError
from mmreid_ext.pictures.boxes import BOX_COLUMNS, box_message
from mmreid_ext.pictures.decode import upright_size
from mmreid_ext.shorten import one_line

from .csv_table import Row

Box = tuple[float, float, float, float]


class BoxReader:
    """Reads the columns ``x,y,w,h``, row by row.

    Of each picture only the header is read. Missing and unreadable pictures are left to whoever
    checks the files.

    Args:
        csv_file: The list; its folder is that of relative paths.
        names: Names of its columns.

    Attributes:
        columns: Those of the four that the list has.
    """

    def __init__(self, csv_file: Path, names: Sequence[str]) -> None:
        self.file = csv_file
        self.columns = [name for name in BOX_COLUMNS if name in names]
        self._places = [list(names).index(name) for name in self.columns]
        self._sizes: dict[str, tuple[int, int] | None] = {}

    def check_columns(self) -> None:
        """Check that the list has all four columns, or none.

        Raises:
            UserError: If it has some.
        """
        missing = [name for name in BOX_COLUMNS if name not in self.columns]
        if self.columns and missing:
            raise UserError(
                f"{self.file}: columns {self.columns} without {missing}: a box needs all of "
                "x,y,w,h, the left and top edge, the width and the height in pixels. Add them, or "
                "remove the others."
            )

    def box(self, line: int, picture: str, cells: Sequence[str]) -> Box | None:
        """Read the box of a row.

        Args:
            line: Its line, for messages.
            picture: The picture, as the row names it.
            cells: Text of every column.

        Returns:
            Left, top, width, height in pixels; None where the row is a whole picture.

        Raises:
            UserError: If a column is missing, or a value is no number or doesn't lie in the
                picture; names the line.
        """
        self.check_columns()
        where = f"{self.file}, line {line}"
        box = _numbers([cells[place] for place in self._places], where)
        if box is None:
            return None
        path = str(self.file.parent / picture.replace("\\", "/"))
        if path not in self._sizes:
            self._sizes[path] = None if is_remote(picture) else upright_size(path)
        message = box_message(box, self._sizes[path])
        if message:
            raise UserError(
                f"{where}: {message} ({picture}). x and y are the left and the top edge, "
                "counted from 0; correct the row, or leave it out. tools/prepare_folder.py cuts "
                "boxes off at the edge of the picture."
            )
        return box


def read_boxes(csv_file: Path, columns: Sequence[str], rows: Sequence[Row]) -> list[Box | None]:
    """Read the columns ``x,y,w,h`` of rows that are in memory; see :class:`BoxReader`.

    Args:
        csv_file: The list.
        columns: Names of its columns.
        rows: Its rows.

    Returns:
        One box per row; None where the row is a whole picture.

    Raises:
        UserError: As :meth:`BoxReader.box`.
    """
    reader = BoxReader(csv_file, columns)
    reader.check_columns()
    if not reader.columns:
        return [None] * len(rows)
    return [
        reader.box(row.line, row.cells["path"], [row.cells[name] for name in columns])
        for row in rows
    ]


def _numbers(cells: Sequence[str], where: str) -> Box | None:
    if not any(cells):
        return None
    try:
        x, y, w, h = (float(cell) for cell in cells)
    except ValueError:
        raise UserError(
            f"{where}: x,y,w,h = {one_line(','.join(cells))} are not four numbers. Give all of "
            "them in pixels, or leave all empty where the image is the whole picture."
        ) from None
    return x, y, w, h
