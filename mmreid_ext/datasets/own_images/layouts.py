"""Recognise how somebody's pictures are arranged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mmreid_ext.datasets.folders import contents
from mmreid_ext.errors import MissingFileError, UserError

from .coco import read_coco
from .folder_layouts import (
    looks_like_cameras,
    picture_depths,
    read_camera_folders,
    read_folders,
    read_folders_with_cameras,
    read_names,
)
from .listing import Listing
from .mot import looks_like_mot, mot_files_in, read_mot
from .tables import TABLE_SUFFIXES, read_own_table

Reader = Callable[[Path, Path | None], Listing]

LAYOUTS: dict[str, Reader] = {
    "folders": read_folders,
    "folders-cameras": read_folders_with_cameras,
    "cameras-folders": read_camera_folders,
    "names": read_names,
    "table": read_own_table,
    "mot": read_mot,
    "coco": read_coco,
}
"""How pictures may be arranged, and what reads them."""

_EXPECTED = (
    "Expected one folder per person (lea/1.jpg), names like lea_1.jpg, folders per person and "
    "camera (lea/door/1.jpg), a CSV or Excel table, MOT-style text, or COCO JSON."
)


def read_own_images(place: Path, layout: str | None = None, frames: Path | None = None) -> Listing:
    """Read the pictures in a folder, or those that a file lists.

    Args:
        place: Folder or file.
        layout: One of :data:`LAYOUTS`. None: the one that it looks like.
        frames: Folder of the frames or pictures that a file names.

    Raises:
        MissingFileError: If ``place`` is not there.
        UserError: If nothing can be made of it; says what was expected.
    """
    if not place.exists():
        raise MissingFileError(f"PHOTOS: there is no {str(place)!r}. {_EXPECTED}")
    found = LAYOUTS[layout or recognised(place)](place, frames)
    if not found.images:
        parts = [f"{place}: no picture of anybody was found ({found.taken_for})."]
        parts += [f"{line}." for line in found.left_out_text()]
        raise UserError(" ".join([*parts, _EXPECTED, "--layout says which it is."]))
    return found


def recognised(place: Path) -> str:
    """Return the layout that a folder or file looks like.

    Raises:
        UserError: If it looks like none.
    """
    if place.is_file():
        return _of_file(place)
    if mot_files_in(place):
        return "mot"
    depths = picture_depths(place)
    if not depths:
        raise UserError(f"{place}: there is no picture in it; {contents(place)}. {_EXPECTED}")
    deepest = max(depths, key=lambda depth: (depths[depth], -depth))
    if deepest == 0:
        return "names"
    if deepest == 1:
        return "folders"
    return "cameras-folders" if looks_like_cameras(place) else "folders-cameras"


def _of_file(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix == ".json":
        return "coco"
    if looks_like_mot(path):
        return "mot"
    if suffix in TABLE_SUFFIXES:
        return "table"
    raise UserError(
        f"{path}: a file of this kind is not known; give a folder of pictures, a table "
        f"({', '.join(TABLE_SUFFIXES)}), MOT-style text (.txt) or COCO JSON (.json)."
    )
