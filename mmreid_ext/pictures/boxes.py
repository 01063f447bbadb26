"""Cut a person out of a frame: the one rule of what a box means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.protocols.crop_names import crop_name

BOX_COLUMNS = ("x", "y", "w", "h")
"""Columns of a box: left and top edge, width and height, in pixels of the upright picture."""


def box_edges(box: Sequence[float]) -> tuple[int, int, int, int]:
    """Return the first column and row of a box, and those behind its last ones.

    Args:
        box: Left, top, width, height in pixels. Fractions are rounded, edge by edge.
    """
    x, y, w, h = box
    return _rounded((x, y, x + w, y + h))


def _rounded(edges: Sequence[float]) -> tuple[int, int, int, int]:
    left, top, right, bottom = edges
    return round(left), round(top), round(right), round(bottom)


def crop(image: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """Return the pixels of a box, ``image[top:bottom, left:right]``, as an array of their own.

    Args:
        image: Shape (H, W, 3) or (H, W).
        box: Left, top, width, height in pixels.

    Raises:
        UserError: If the box doesn't lie in the image.
    """
    height, width = image.shape[:2]
    message = box_message(box, (width, height))
    if message:
        raise UserError(f"Box {message}.")
    left, top, right, bottom = box_edges(box)
    return np.ascontiguousarray(image[top:bottom, left:right])


def crop_edges(image: np.ndarray, edges: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
    """Return the pixels between four edges, as a detector gives them, cut off at the picture's.

    Args:
        image: Shape (H, W, 3) or (H, W).
        edges: Left, top, right and bottom edge in pixels; rounded as those of :func:`box_edges`.
        name: What messages call them.

    Raises:
        UserError: If they aren't four finite numbers, or no pixel of the picture is between them.
    """
    shown = ", ".join(f"{float(value):g}" for value in edges)
    if len(edges) != 4 or not np.isfinite(edges).all():
        raise UserError(
            f"{name} is ({shown}), must be four finite numbers: left, top, right, bottom."
        )
    left, top, right, bottom = _rounded([float(value) for value in edges])
    height, width = image.shape[:2]
    rows, columns = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
    found = image[rows, columns]
    if found.size == 0:
        raise UserError(
            f"{name} is ({shown}), left, top, right and bottom edge, and holds no pixel of the "
            f"picture of {width} x {height} pixels; correct it, or leave it out."
        )
    return np.ascontiguousarray(found)


def box_message(box: Sequence[float], size: tuple[int, int] | None) -> str | None:
    """Say what is wrong with a box, or return None.

    Args:
        box: Left, top, width, height in pixels.
        size: Width and height of the picture. None: unknown, so only the box itself is checked.
    """
    shown = f"x,y,w,h = {','.join(f'{value:g}' for value in box)}"
    if not np.isfinite(box).all():
        return f"{shown} has a number that is not finite"
    left, top, right, bottom = box_edges(box)
    if right <= left or bottom <= top:
        return f"{shown} holds no pixel"
    if left < 0 or top < 0 or size is not None and (right > size[0] or bottom > size[1]):
        picture = "the picture" if size is None else f"the picture of {size[0]} x {size[1]} pixels"
        return f"{shown} sticks out of {picture}"
    return None


def clipped(box: Sequence[float], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return the part of a box that lies in a picture, in whole pixels; None if there is none.

    Args:
        box: Left, top, width, height in pixels.
        size: Width and height of the picture.
    """
    if not np.isfinite(box).all():
        return None
    left, top, right, bottom = box_edges(box)
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, size[0]), min(bottom, size[1])
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def picture_key(file: str, record: Mapping[str, Any]) -> str:
    """Name one picture: its file, and the box if it is a part of that, as a media fragment.

    Args:
        file: Path or hash of the file.
        record: The image record; a crop has ``box``.
    """
    box = record.get("box")
    if box is None:
        return file
    left, top, right, bottom = box_edges(box)
    return crop_name(file, (left, top, right - left, bottom - top))
