"""List the pictures to embed: of a folder, a CSV file or a text file with one path per line."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmreid_ext.datasets.readers.csv_boxes import Box, read_boxes
from mmreid_ext.datasets.readers.csv_table import Row, read_table
from mmreid_ext.datasets.readers.ids import UNKNOWN, normalized, number_ids
from mmreid_ext.datasets.readers.text_file import read_text
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.pictures.boxes import BOX_COLUMNS, picture_key
from mmreid_ext.pictures.folder import IMAGE_SUFFIXES

_COLUMNS = ("path", "pid", "camid", "split", "domain", *BOX_COLUMNS)


@dataclass
class ImageList:
    """Pictures in the order in which they are embedded, N of them.

    Attributes:
        source: What was listed, as the user named it.
        folder: Paths are relative to it.
        paths: N paths with ``/``.
        boxes: Left, top, width, height of each; None: the whole picture. Empty: no picture has one.
        pids: Identities, -1 where unknown. Empty: none is known.
        camids: Cameras likewise.
        roles: ``'query'`` or ``'gallery'`` likewise.
        pid_names: Names that the user gave to identities.
    """

    source: str
    folder: Path
    paths: list[str]
    boxes: Sequence[Box | None] = ()
    pids: list[int] = field(default_factory=list)
    camids: list[int] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    pid_names: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.paths)

    def record(self, index: int) -> dict[str, Any]:
        """Return the image record of a picture, for the loader."""
        record: dict[str, Any] = {"img_path": os.path.join(self.folder, self.paths[index])}
        if self.boxes and self.boxes[index] is not None:
            record["box"] = self.boxes[index]
        return record

    def name(self, index: int) -> str:
        """Name a picture: its path, and its box if it has one."""
        box = self.boxes[index] if self.boxes else None
        return self.paths[index] if box is None else picture_key(self.paths[index], {"box": box})

    def fingerprint(self) -> str:
        """Return the SHA-256 of all names and labels: another list has another one."""
        digest = hashlib.sha256()
        for index in range(len(self)):
            digest.update(f"{self.name(index)}\n".encode("utf-8", "surrogateescape"))
        digest.update(repr((self.pids, self.camids, self.roles, self.pid_names)).encode())
        return digest.hexdigest()


def list_of(source: str | os.PathLike) -> ImageList:
    """List the pictures of a folder with its subfolders, of a CSV file or of a text file.

    Args:
        source: A folder: its pictures in order of their paths, without hidden ones. A ``.csv``
            file: its column ``path``, and if they are there ``pid``, ``camid``, ``split`` and
            ``x,y,w,h``, see :class:`mmreid_ext.datasets.CSVDataset`. A ``.txt`` file: one path per
            line. Paths are relative to the file's folder.

    Raises:
        MissingFileError: If there is no such folder or file.
        UserError: If it lists nothing, or is neither.
    """
    path = Path(source)
    if path.is_dir():
        found = ImageList(str(source), path, _pictures_below(path))
    elif not path.is_file():
        raise MissingFileError(f"No folder and no file {str(source)!r}.")
    elif path.suffix.lower() == ".csv":
        found = _listed_in_table(path, str(source))
    elif path.suffix.lower() == ".txt":
        lines = read_text(path, None).splitlines()
        paths = [line.strip().replace("\\", "/") for line in lines if line.strip()]
        found = ImageList(str(source), path.parent, paths)
    elif path.suffix.lower() in IMAGE_SUFFIXES:
        found = ImageList(str(source), path.parent, [path.name])
    else:
        raise UserError(
            f"{str(source)!r} is no list of pictures; give a folder, a .csv file with a column "
            "'path', or a .txt file with one path per line."
        )
    if not len(found):
        raise UserError(
            f"{str(source)!r} holds no picture. Pictures end with {', '.join(IMAGE_SUFFIXES)}."
        )
    return found


def _pictures_below(folder: Path) -> list[str]:
    """Paths of all pictures below a folder, by name: alike on every machine.

    Links to folders are followed, but no folder is entered from within itself.
    """
    found = []
    for place, folders, files in os.walk(folder, followlinks=True):
        inside = Path(place).relative_to(folder).as_posix()
        folders[:] = [
            name for name in folders if not name.startswith(".") and not _leads_back(place, name)
        ]
        prefix = "" if inside == "." else f"{inside}/"
        found += [
            prefix + name
            for name in files
            if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")
        ]
    return sorted(found)


def _leads_back(place: str, name: str) -> bool:
    """Whether an entry of a folder is a link to that folder or to one above it."""
    path = os.path.join(place, name)
    if not os.path.islink(path):
        return False
    target, here = os.path.realpath(path), os.path.realpath(place)
    return os.path.commonpath([target, here]) == target


def _listed_in_table(file: Path, source: str) -> ImageList:
    columns, rows = read_table(file, _COLUMNS, ("path",))
    boxes = read_boxes(file, columns, rows)
    pids = _numbers(file, "pid", rows)
    camids = _numbers(file, "camid", rows)
    roles = [row.cells.get("split", "") for row in rows]
    found = ImageList(
        source,
        file.parent,
        [row.cells["path"].replace("\\", "/") for row in rows],
        boxes if any(box is not None for box in boxes) else (),
        [pids.get(normalized(row.cells.get("pid", "")), UNKNOWN) for row in rows] if pids else [],
        [camids.get(normalized(row.cells.get("camid", "")), UNKNOWN) for row in rows]
        if camids
        else [],
        [role if role == "query" else "gallery" for role in roles] if any(roles) else [],
        {number: text for text, number in pids.items() if text != str(number)},
    )
    return found


def _numbers(file: Path, column: str, rows: list[Row]) -> dict[str, int]:
    texts = (row.cells.get(column, "") for row in rows)
    return number_ids(texts, f"{file}, column {column!r}")
