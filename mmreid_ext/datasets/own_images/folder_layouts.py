"""Read people and cameras from folders and file names."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mmreid_ext.errors import UserError
from mmreid_ext.pictures.folder import IMAGE_SUFFIXES

from .listing import Listing, OwnImage

_SYSTEM = frozenset(("__macosx", "thumbs.db", "desktop.ini"))
_CAMERA = re.compile(r"(c|cam|camera|kamera|view)[ _-]?\w?\d+", re.IGNORECASE | re.ASCII)
_NUMBERED = re.compile(r"(?P<person>.*?)[ _.-]*\(?\d+\)?", re.ASCII)
_WITH_CAMERA = re.compile(r"(?P<person>.+?)_c(?:am)?(?P<camera>\d+)(?:[s_].*)?", re.ASCII)
_SPLITS = frozenset(("train", "test", "val", "valid", "query", "gallery", "probe"))
_NO_PICTURES = "no picture by their names"


def walk(folder: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the folders below ``folder`` and the name of each file, sorted; hidden ones are not."""
    for current, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        parts = Path(current).relative_to(folder).parts
        for name in sorted(files):
            if not _is_hidden(name):
                yield parts, name


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM


def is_picture(name: str) -> bool:
    """Return whether a file is a picture, by its name."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def picture_depths(folder: Path) -> Counter[int]:
    """Count pictures by the number of folders that they are in; 2 stands for more as well."""
    return Counter(min(len(parts), 2) for parts, name in walk(folder) if is_picture(name))


def looks_like_cameras(folder: Path) -> bool:
    """Return whether the outer folders are named like cameras, and the inner ones are not."""
    outer = {parts[0] for parts, name in walk(folder) if len(parts) > 1 and is_picture(name)}
    inner = {parts[1] for parts, name in walk(folder) if len(parts) > 1 and is_picture(name)}
    return all(map(_CAMERA.fullmatch, outer)) and not all(map(_CAMERA.fullmatch, inner))


def read_folders(folder: Path, frames: Path | None = None) -> Listing:
    """Read one folder per person; folders in it belong to the person, too."""
    found = Listing("folders", "one folder per person")
    for parts, path in _pictures(folder, found, least=1, form="not in a folder of a person"):
        found.images.append(OwnImage(path, parts[0]))
    _refuse_splits(folder, found)
    return found


def read_folders_with_cameras(folder: Path, frames: Path | None = None) -> Listing:
    """Read one folder per person with one folder per camera in it."""
    found = Listing("folders-cameras", "one folder per person, in it one per camera")
    for parts, path in _pictures(folder, found, least=1, form="not in a folder of a person"):
        found.images.append(OwnImage(path, parts[0], parts[1] if len(parts) > 1 else ""))
    _refuse_splits(folder, found)
    return found


def read_camera_folders(folder: Path, frames: Path | None = None) -> Listing:
    """Read one folder per camera with one folder per person in it."""
    found = Listing("cameras-folders", "one folder per camera, in it one per person")
    for parts, path in _pictures(folder, found, least=2, form="not in a person's folder"):
        found.images.append(OwnImage(path, parts[1], parts[0]))
    return found


def read_names(folder: Path, frames: Path | None = None) -> Listing:
    """Read names like ``lea_1.jpg``, or ``0001_c2_7.jpg`` where a camera stands in it."""
    found = Listing("names", "the person's name at the beginning of each file name")
    for _, path in _pictures(folder, found, least=0, form=""):
        matched = _WITH_CAMERA.fullmatch(path.stem) or _NUMBERED.fullmatch(path.stem)
        if matched is None or not matched["person"]:
            found.leave_out("no name and number like lea_1.jpg", [path.name])
            continue
        found.images.append(
            OwnImage(path, matched["person"], matched.groupdict().get("camera", ""))
        )
    people = {image.person for image in found.images}
    if len(people) == 1 and len(found.images) > 1:
        raise UserError(
            f"{folder}: all {len(found.images)} names begin with {people.pop()!r}; "
            "a camera seems to have given them. "
            "Put the pictures of each person into a folder of their own (lea/IMG_1.jpg), "
            "or rename them (lea_1.jpg)."
        )
    return found


def _pictures(
    folder: Path, found: Listing, *, least: int, form: str
) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Yield the folders and the path of every picture in at least ``least`` folders."""
    if not folder.is_dir():
        raise UserError(f"{folder} is a file; the layout {found.layout!r} is one of folders.")
    seen: set[tuple[str, ...]] = set()
    for parts, name in walk(folder):
        seen.update(parts[: depth + 1] for depth in range(len(parts)))
        if not is_picture(name):
            found.leave_out(_NO_PICTURES, ["/".join([*parts, name])])
        elif len(parts) < least:
            found.leave_out(form, ["/".join([*parts, name])])
        else:
            yield parts, folder.joinpath(*parts, name)
    outer = (entry.name for entry in folder.iterdir() if entry.is_dir())
    known = {parts[0] for parts in seen}
    found.leave_out(
        "empty folders",
        sorted(name for name in outer if not _is_hidden(name) and name not in known),
    )


def _refuse_splits(folder: Path, found: Listing) -> None:
    people = {image.person for image in found.images}
    if people and all(name.lower() in _SPLITS for name in people):
        raise UserError(
            f"{folder}: its folders are called {', '.join(sorted(people))}; "
            "these are parts of a data set and not people. Give the folder that holds one folder "
            "per person, or a table with the columns path,person,split."
        )
