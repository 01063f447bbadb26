"""Look at the pictures: which can be read, how large they are, where boxes stick out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.pictures.boxes import box_message, clipped
from mmreid_ext.pictures.decode import decode, upright_size
from mmreid_ext.pictures.picture_file import check_picture, read_regular_file
from mmreid_ext.shorten import shorten

from .listing import Listing, OwnImage

Progress = Callable[[int, int], None]
Size = tuple[int, int]

_UNREADABLE = "pictures that can't be read"
_JPEG_START = b"\xff\xd8"


def look_at(found: Listing, progress: Progress | None = None) -> list[Size]:
    """Keep what can be read, cut boxes off at the edges of their pictures.

    Each file is read once. JPEG files are checked for their end, others are decoded.

    Args:
        found: Changed in place.
        progress: Called with the number of files done and of all files.

    Returns:
        Width and height of every picture that is kept; of a box, its own.

    Raises:
        UserError: If none is left; says why.
    """
    paths = list(dict.fromkeys(image.path for image in found.images))
    sizes: dict[Path, Size | str] = {}
    for done, path in enumerate(paths):
        sizes[path] = _size_or_reason(path)
        if progress is not None:
            progress(done + 1, len(paths))
    for path, text in sizes.items():
        if isinstance(text, str):
            found.leave_out(f"{_UNREADABLE} ({text})", ["/".join(path.parts[-2:])])
    kept, kept_sizes, cut = [], [], 0
    for image in found.images:
        size = sizes[image.path]
        if isinstance(size, str):
            continue
        if image.box is not None:
            box = clipped(image.box, size)
            if box is None:
                found.leave_out("boxes outside their picture or without area", [_named(image)])
                continue
            cut += box_message(image.box, size) is not None
            image, size = replace(image, box=box), (box[2], box[3])
        kept.append(image)
        kept_sizes.append(size)
    if cut:
        found.notes.append(f"{cut} boxes stuck out of their picture and were cut off at its edge.")
    if not kept:
        raise UserError(
            f"None of {len(paths)} pictures can be used: {shorten(found.left_out_text(), '; ')}."
        )
    found.images = kept
    return kept_sizes


def _size_or_reason(path: Path) -> Size | str:
    try:
        content = read_regular_file(path)
        check_picture(content)
        if not content.startswith(_JPEG_START):
            height, width = decode(content).shape[:2]
            return width, height
    except FileNotFoundError:
        return "no such file"
    except (OSError, ValueError, cv2.error) as error:
        return str(error)
    size = upright_size(path)
    return "not an image" if size is None else size


def _named(image: OwnImage) -> str:
    values = "" if image.box is None else ",".join(f"{value:g}" for value in np.round(image.box, 1))
    return f"{image.path.name} [{values}]"
