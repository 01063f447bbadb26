"""Read a CSV or Excel table whose columns have usual names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmreid_ext.datasets.readers.ids import is_none
from mmreid_ext.datasets.readers.text_file import read_text
from mmreid_ext.errors import MissingPackageError, UserError
from mmreid_ext.shorten import one_line, shorten

from .listing import Box, Listing, OwnImage

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")

# The first of a row wins where a table has several of them.
_NAMES = {
    "path": ("path", "img_path", "image_path", "file_path", "filepath", "file", "file_name",
             "filename", "image", "img", "picture", "photo"),
    "person": ("pid", "person", "person_id", "personid", "identity", "identity_id", "track_id",
               "label", "name", "id"),
    "camera": ("camid", "camera", "camera_id", "cameraid", "cam", "cam_id"),
    "split": ("split", "subset", "role", "set"),
    "x": ("x", "left", "bbox_x", "bbox_left", "x_min", "xmin", "x1"),
    "y": ("y", "top", "bbox_y", "bbox_top", "y_min", "ymin", "y1"),
    "w": ("w", "width", "bbox_w", "bbox_width"),
    "h": ("h", "height", "bbox_h", "bbox_height"),
    "x2": ("x2", "right", "x_max", "xmax"),
    "y2": ("y2", "bottom", "y_max", "ymax"),
}  # fmt: skip
_SPLITS = {
    "": "", "train": "train", "training": "train", "query": "query", "probe": "query",
    "gallery": "gallery", "test": "test", "testing": "test", "val": "test", "valid": "test",
    "validation": "test",
}  # fmt: skip
_DELIMITERS = ",;\t"
_SHOWN = 20  # columns that a message names


def read_own_table(path: Path, pictures: Path | None = None) -> Listing:
    """Read a table with a picture per line.

    Args:
        path: CSV (commas, semicolons or tabs) or Excel; the first line names the columns.
        pictures: Folder of relative paths. None: that of the table.

    Raises:
        UserError: If the columns of path and person are missing, or a line can't be used.
        MissingPackageError: If it is an Excel table and openpyxl is not installed.
    """
    is_excel = path.suffix.lower() in (".xlsx", ".xlsm")
    lines = _excel_lines(path) if is_excel else _csv_lines(path)
    header = next(lines, (1, []))[1]
    columns = _columns(header, path)
    used = ", ".join(f"{one_line(header[place])!r} as {role}" for role, place in columns.items())
    found = Listing("table", f"a table with the columns {used}")
    unused = [name for place, name in enumerate(header) if name and place not in columns.values()]
    if unused:
        found.notes.append(f"Columns that were not used: {shorten(unused)}.")
    folder = path.parent if pictures is None else pictures
    for number, cells in lines:
        row = {role: cells[place] if place < len(cells) else "" for role, place in columns.items()}
        if not row["path"] or is_none(row["person"]):
            found.leave_out("lines without a path or a person", [f"line {number}"])
            continue
        found.images.append(_image(row, folder, f"{path}, line {number}"))
    return found


def _image(row: dict[str, str], folder: Path, where: str) -> OwnImage:
    split = row.get("split", "").lower()
    if split not in _SPLITS:
        raise UserError(
            f"{where}: split {one_line(split)!r}, must be train, test, query or gallery; correct "
            "the line, or rename the column so that people are split for you."
        )
    camera = row.get("camera", "")
    path = folder / row["path"].replace("\\", "/")
    camera = "" if is_none(camera) else camera
    return OwnImage(path, row["person"], camera, _SPLITS[split], _box(row, where))


def _box(row: dict[str, str], where: str) -> Box | None:
    names = [name for name in ("x", "y", "w", "h", "x2", "y2") if row.get(name)]
    if not names or "x" not in row:
        return None
    try:
        numbers = {name: float(row[name].replace(",", ".")) for name in names}
        if "w" in numbers:
            return numbers["x"], numbers["y"], numbers["w"], numbers["h"]
        x, y = numbers["x"], numbers["y"]
        return x, y, numbers["x2"] - x, numbers["y2"] - y
    except (ValueError, KeyError):
        shown = ", ".join(f"{name}={one_line(row[name])}" for name in names)
        raise UserError(
            f"{where}: the box {shown} is not four numbers; give x,y,w,h or x1,y1,x2,y2 in pixels, "
            "or leave all of them empty."
        ) from None


def _columns(header: Sequence[str], path: Path) -> dict[str, int]:
    """Where each role is in the header."""
    plain = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in header]
    found = {}
    for role, names in _NAMES.items():
        place = next((plain.index(name) for name in names if name in plain), None)
        if place is not None:
            found[role] = place
    box = {"x", "y", "w", "h"} if {"x", "y", "w", "h"} <= set(found) else {"x", "y", "x2", "y2"}
    if not box <= set(found):
        box = set()  # width and height alone are the size of a picture
    found = {
        r: place
        for r, place in found.items()
        if r in box or r not in ("x", "y", "w", "h", "x2", "y2")
    }
    missing = [role for role in ("path", "person") if role not in found]
    if missing:
        wanted = " and ".join(f"{role} ({shorten(_NAMES[role])})" for role in missing)
        raise UserError(
            f"{path}: its first line has the columns {shorten(header, shown=_SHOWN) or '(none)'}; "
            f"none is the {wanted}. Rename a column, or add the line path,person,camera on top."
        )
    return found


def _csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    text = read_text(path)
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(
                f'{path}, line {reader.line_num}: {error}. Is a quote (") not closed, or alone?'
            ) from None
        if any(cells):
            yield reader.line_num, cells


def _excel_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise MissingPackageError(
            f"{path} is an Excel table, which needs a package: pip install openpyxl; "
            "or save it as CSV."
        ) from None
    sheet = load_workbook(path, read_only=True, data_only=True).active
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = ["" if cell is None else _text(cell) for cell in row]
        if any(cells):
            yield number, cells


def _text(cell: object) -> str:
    """Excel knows numbers with a fraction only where a 7 was typed as 7.0."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
