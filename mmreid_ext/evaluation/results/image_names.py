"""Names of images without the folders of the machine that read them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from mmreid_ext.protocols.crop_names import split_crop_name

_ROWS_AT_ONCE = 4096

_TRIED = 20
"""Images that are looked for, to learn where a test set was moved to: a few may be missing."""

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def relative_names(names: Iterable[str]) -> tuple[list[str], str]:
    """Cut the common folder off the paths of one test set.

    The same set read from another place gives the same names.

    Args:
        names: Paths, absolute or relative; empty strings (unknown) stay empty.

    Returns:
        Names with ``/`` between their parts, and the folder that was cut off.
    """
    paths = [_path(str(name)) for name in names]
    folders = [path.parent.parts for path in paths if path is not None]
    common = os.path.commonprefix(folders) if folders else ()
    short = ["" if p is None else "/".join(p.parts[len(common) :]).lstrip("/") for p in paths]
    known = next((path for path in paths if path is not None), None)
    return short, "" if known is None or not common else str(type(known)(*common))


def place_images(names: Sequence[str], image_root: str | os.PathLike = "") -> tuple[list[str], str]:
    """Find the images of one test set: their names from a common folder, and that folder.

    Images that were moved are found under ``image_root``, whether it stands for their common folder
    or for one above it. The place that holds most of the first images wins.

    Args:
        names: Paths as they were when the images were read.
        image_root: Folder to look in. Empty: where they were.
    """
    short, folder = relative_names(names)
    if not str(image_root):
        return short, folder
    parts = [part for part in re.split(r"[\\/]+", folder) if part and not part.endswith(":")]
    places = [Path(image_root, *parts[count:]) for count in range(len(parts) + 1)]
    tried = [name for name in short if name][:_TRIED]
    found = [
        sum((place / split_crop_name(name)[0]).is_file() for name in tried) for place in places
    ]
    best = found.index(max(found)) if any(found) else len(places) - 1
    return short, str(places[best])


def _path(name: str) -> PurePath | None:
    if not name:
        return None
    if _WINDOWS.match(name):
        return PureWindowsPath(name)
    return PurePosixPath(os.path.normpath(name))


def is_local(text: str) -> bool:
    """Return whether a text is an absolute path, which says nothing on another machine."""
    return bool(text.startswith(("/", "~/")) or _WINDOWS.match(text)) and "\n" not in text


def without_folders(value: Any) -> Any:
    """Copy plain data with every absolute path cut down to its last part."""
    if isinstance(value, Mapping):
        return {key: without_folders(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_folders(item) for item in value]
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str) and is_local(value):
        return ".../" + (PureWindowsPath(value) if "\\" in value else PurePosixPath(value)).name
    return value


def image_fingerprint(
    names: Sequence[str], pids: Iterable[int], camids: Iterable[int]
) -> dict[str, Any]:
    """Return the number of images and SHA-256 of what they are, whatever their order.

    Args:
        names: From :func:`relative_names`.
        pids: Identities.
        camids: Cameras.

    Returns:
        ``{'images': count, 'sha256': text}``.
    """
    images = sorted(zip(names, map(int, pids), map(int, camids), strict=True))
    digest = hashlib.sha256()
    for name, pid, camid in images:
        digest.update(f"{name}\0{pid}\0{camid}\n".encode("utf-8", "surrogateescape"))
    return {"images": len(images), "sha256": digest.hexdigest()}


def array_fingerprint(values: Any) -> str:
    """Return SHA-256 of the numbers and the shape of an array, which is read part by part.

    Args:
        values: An array, or features on disk, which give parts of float32.
    """
    kind = values.dtype.str if isinstance(values, np.ndarray) else "<f4"
    digest = hashlib.sha256(f"{kind} {tuple(values.shape)}\n".encode())
    for start in range(0, len(values), _ROWS_AT_ONCE):
        digest.update(np.ascontiguousarray(values[start : start + _ROWS_AT_ONCE]).data)
    return digest.hexdigest()
