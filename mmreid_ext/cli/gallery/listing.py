"""List the pictures to add to a gallery, with what is known about each; loads no PyTorch."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.pictures.boxes import BOX_COLUMNS, box_edges, box_message
from mmreid_ext.pictures.folder import IMAGE_SUFFIXES
from mmreid_ext.protocols.crop_names import crop_name
from mmreid_ext.shorten import brief, one_line
from mmreid_ext.suggest import did_you_mean

from .moments import moment_of

FOLDERS = {
    "person": ("identity",),
    "camera": ("camera",),
    "person/camera": ("identity", "camera"),
    "camera/person": ("camera", "identity"),
}
"""What the folders below the one that is added may mean."""

_COLUMNS = ("path", "identity", "camera", "time", *BOX_COLUMNS)
_OTHER_NAMES = dict(pid="identity", person="identity", camid="camera")
_IGNORED = ("split", "domain")  # of the tables of data sets


@dataclass(frozen=True)
class Entry:
    """A picture to add.

    Attributes:
        file: Where it is.
        source: Its name in the gallery: the path below the folder or the list that was given.
        box: Left, top, width, height; None: the whole picture.
        identity: Who is on it; None: unknown.
        camera: Which camera took it; None: unknown.
        time: When, in Unix seconds; None: unknown.
    """

    file: Path
    source: str
    box: tuple[int, int, int, int] | None = None
    identity: str | None = None
    camera: str | None = None
    time: float | None = None


def list_entries(source: str | os.PathLike, folders: str | None = None) -> list[Entry]:
    """List the pictures of a folder with its subfolders, of a CSV file, or one picture.

    Args:
        source: The folder or the file. A CSV file has a column ``path``, and if you like
            ``identity``, ``camera``, ``time`` (ISO 8601 or Unix seconds) and boxes ``x,y,w,h``.
        folders: One of :data:`FOLDERS`; None: folders mean nothing.

    Raises:
        MissingFileError: If there is no such folder or file.
        UserError: If it lists nothing, or is neither.
    """
    path = Path(source)
    if path.is_dir():
        found = _in_folder(path, folders)
    elif not path.is_file():
        raise MissingFileError(f"No folder and no file {str(source)!r}.")
    elif folders is not None:
        raise UserError(f"--folders {folders}: {str(source)!r} is a file; give a folder.")
    elif path.suffix.lower() == ".csv":
        found = _in_table(path)
    elif path.suffix.lower() in IMAGE_SUFFIXES:
        found = [Entry(path, _as_text(path.name))]
    else:
        raise UserError(
            f"{str(source)!r} can't be added; give a folder, a picture, a .csv file with a column "
            "'path', or a features file (.npz)."
        )
    if not found:
        raise UserError(
            f"{str(source)!r} holds no picture. Pictures end with {', '.join(IMAGE_SUFFIXES)}."
        )
    return found


def labelled(
    entries: Sequence[Entry],
    identity: str | None = None,
    camera: str | None = None,
    time: float | None = None,
) -> list[Entry]:
    """Fill in what holds for all pictures and isn't known of a picture itself."""
    return [
        replace(
            entry,
            identity=identity if entry.identity is None else entry.identity,
            camera=camera if entry.camera is None else entry.camera,
            time=time if entry.time is None else entry.time,
        )
        for entry in entries
    ]


def _in_folder(folder: Path, folders: str | None) -> list[Entry]:
    fields = FOLDERS[folders] if folders else ()
    found = []
    for parts, file in _pictures_below(folder):
        if len(parts) < len(fields):
            raise UserError(
                f"--folders {folders}: {file} stands in {len(parts)} of the {len(fields)} folders "
                f"below {folder} that this needs; move it, or leave the option out."
            )
        labels = dict(zip(fields, map(_as_text, parts), strict=False))
        entry = Entry(file, _as_text("/".join([*parts, file.name])))
        found.append(replace(entry, identity=labels.get("identity"), camera=labels.get("camera")))
    return sorted(found, key=lambda entry: entry.source)


def _as_text(name: str) -> str:
    """Escape what is no text in the name of a file: a gallery keeps Unicode alone."""
    return name.encode("utf-8", "backslashreplace").decode()


def _pictures_below(folder: Path) -> list[tuple[tuple[str, ...], Path]]:
    """Return the folders and the path of each picture; links to folders aren't followed."""
    found = []
    for place, inner, files in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".")]
        parts = Path(place).relative_to(folder).parts
        found += [
            (parts, Path(place, name))
            for name in files
            if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")
        ]
    return found


def _in_table(file: Path) -> list[Entry]:
    try:
        with open(file, encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened, strict=True)
            columns = [_OTHER_NAMES.get(name, name) for name in reader.fieldnames or ()]
            _check_columns(file, columns)
            reader.fieldnames = columns
            return [_of_row(file, reader.line_num, row) for row in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{file} is no CSV file in UTF-8 ({error}); save it as one.") from None


def _check_columns(file: Path, columns: list[str]) -> None:
    expected = f"The first line names the columns: {','.join(_COLUMNS)}."
    if "path" not in columns:
        raise UserError(f"{file} has no column 'path'. {expected}")
    for name in columns:
        if name not in _COLUMNS and name not in _IGNORED:
            hint = did_you_mean(name, _COLUMNS)
            raise UserError(f"{file} has an unknown column {brief(name)}{hint}. {expected}")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    boxes = set(columns) & set(BOX_COLUMNS)
    if twice or boxes and len(boxes) < len(BOX_COLUMNS):
        raise UserError(f"{file} has a column twice, or a part of a box only. {expected}")


def _of_row(file: Path, line: int, row: dict[str, str | None]) -> Entry:
    place = f"{file}, line {line}"
    if None in row or None in row.values():
        raise UserError(f"{place}: more or fewer values than columns; quote values with commas.")
    cells = {name: (value or "").strip() for name, value in row.items()}
    if not cells["path"]:
        raise UserError(f"{place}: no path.")
    path = cells["path"].replace("\\", "/")
    box = _box(place, [cells.get(name, "") for name in BOX_COLUMNS])
    time = cells.get("time")
    return Entry(
        file.parent / path,
        path if box is None else crop_name(path, box),
        box,
        cells.get("identity") or None,
        cells.get("camera") or None,
        moment_of(time, place) if time else None,
    )


def _box(place: str, cells: list[str]) -> tuple[int, int, int, int] | None:
    if not any(cells):
        return None
    try:
        box = [float(cell) for cell in cells]
    except ValueError:
        raise UserError(
            f"{place}: the box {one_line(','.join(cells))} isn't four numbers."
        ) from None
    message = box_message(box, None)
    if message:
        raise UserError(f"{place}: {message}.")
    left, top, right, bottom = box_edges(box)
    return left, top, right - left, bottom - top
