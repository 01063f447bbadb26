"""Read a folder of pictures that no list and no benchmark describes."""

from __future__ import annotations

import os
from pathlib import Path

from mmreid_ext.datasets.checks.first_bytes import picture_kind, read_first
from mmreid_ext.datasets.readers.ids import normalized
from mmreid_ext.datasets.records import Record
from mmreid_ext.pictures.folder import IMAGE_SUFFIXES

from .findings import notes
from .read_set import SourceSet

UNKNOWN_ROLE = ""
_ROLES = {
    "train": "train",
    "training": "train",
    "query": "query",
    "probe": "query",
    "gallery": "gallery",
    "val": "gallery",
    "test": "gallery",
}
"""Folders that say what their pictures are for, and the role."""


def read_plain_folder(folder: Path) -> SourceSet:
    """Read a folder with one folder per person, perhaps below ``train``, ``query``, ``gallery``.

    The first folder below is the person, the second, if there is one, the camera.
    """
    has_roles = _has_roles(folder)
    records: list[Record] = []
    odd: list[str] = []
    people: dict[str, int] = {}
    cameras: dict[str, int] = {}
    for path, parts in _files(folder):
        role = UNKNOWN_ROLE
        if has_roles:
            role, parts = _ROLES.get(parts[0].lower(), UNKNOWN_ROLE), parts[1:]
        if not path.lower().endswith(IMAGE_SUFFIXES):
            odd += _left_out(path)
            continue
        if len(parts) < 2:
            odd.append(f"{path}: it is in no person's folder")
            continue
        name = normalized(parts[0])
        record = dict(
            img_path=path,
            pid=people.setdefault(name, len(people)),
            pid_name=name,
            camid=cameras.setdefault(parts[1], len(cameras)) if len(parts) == 3 else -1,
            role=role,
        )
        records.append(record)
    found = SourceSet(folder.resolve().name, records, f"folder {folder}")
    found.findings += notes("other_files", odd)
    if not records:
        text = f"{folder}: no person's folder with pictures in it"
        found.findings += notes("unreadable_set", [text])
    return found


def _has_roles(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        names = [e.name.lower() for e in entries if e.is_dir() and not e.name.startswith(".")]
    return bool(names) and all(name in _ROLES for name in names)


def _files(folder: Path) -> list[tuple[str, list[str]]]:
    """Paths of all files that are not hidden, in order, and their parts below the folder."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        parts = [] if place == str(folder) else os.path.relpath(place, folder).split(os.sep)
        for name in sorted(names):
            if not name.startswith("."):
                found.append((os.path.join(place, name), [*parts, name]))
    return found


def _left_out(path: str) -> list[str]:
    """Name a picture that training would pass over for its name; other files need no word."""
    try:
        kind = picture_kind(read_first(path))
    except OSError:
        return []
    return [f"{path}: a {kind} picture whose name does not end like one"] if kind else []
