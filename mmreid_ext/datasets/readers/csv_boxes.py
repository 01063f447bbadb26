"""The boxes of a CSV list, checked against the pictures that they are in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from mmreid_ext.datasets.checks.image_files import is_remote
from mmreid_ext.errors import UserError
from mmreid_ext.pictures.boxes import BOX_COLUMNS, box_message
from mmreid_ext.pictures.decode import upright_size

from .csv_table import Row

Box = tuple[float, float, float, float]


def read_boxes(csv_file: Path, columns: Collection[str], rows: Sequence[Row]) -> list[Box | None]:
    """Read the columns ``x,y,w,h``.

    Of each picture only the header is read. Missing and unreadable pictures are left to whoever
    checks the files.

    Args:
        csv_file: The list; its folder is that of relative paths.
        columns: Names of its columns.
        rows: Its rows.

    Returns:
        Left, top, width, height in pixels of every row; None where the row is a whole picture.

    Raises:
        UserError: If a column is missing, or a value is no number or doesn't lie in the picture;
            names the line.
    """
    given = [name for name in BOX_COLUMNS if name in columns]
    if not given:
        return [None] * len(rows)
    if len(given) < len(BOX_COLUMNS):
        missing = [name for name in BOX_COLUMNS if name not in columns]
        raise UserError(
            f"{csv_file}: columns {given} without {missing}: a box needs all of x,y,w,h, the left "
            "and top edge, the width and the height in pixels. Add them, or remove the others."
        )
    sizes: dict[str, tuple[int, int] | None] = {}
    boxes: list[Box | None] = []
    for row in rows:
        where = f"{csv_file}, line {row.line}"
        box = _numbers(row, where)
        boxes.append(box)
        if box is None:
            continue
        path = str(csv_file.parent / row.cells["path"].replace("\\", "/"))
        if path not in sizes:
            sizes[path] = None if is_remote(row.cells["path"]) else upright_size(path)
        message = box_message(box, sizes[path])
        if message:
            raise UserError(
                f"{where}: {message} ({row.cells['path']}). x and y are the left and the top edge, "
                "counted from 0; correct the row, or leave it out. tools/prepare_folder.py cuts "
                "boxes off at the edge of the picture."
            )
    return boxes


def _numbers(row: Row, where: str) -> Box | None:
    cells = [row.cells[name] for name in BOX_COLUMNS]
    if not any(cells):
        return None
    try:
        x, y, w, h = (float(cell) for cell in cells)
    except ValueError:
        raise UserError(
            f"{where}: x,y,w,h = {','.join(cells)} are not four numbers. Give all of them in "
            "pixels, or leave all empty where the image is the whole picture."
        ) from None
    return x, y, w, h
