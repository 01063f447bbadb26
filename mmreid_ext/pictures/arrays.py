"""Pictures in memory, of whatever kind, as the arrays that OpenCV would have decoded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps

from mmreid_ext.errors import UserError, UserTypeError

from .boxes import crop_edges
from .picture_file import check_depth


@dataclass(frozen=True)
class Region:
    """A box of a frame, to be cut out when its turn comes.

    Attributes:
        frame: Shape (H, W, 3), uint8, BGR.
        box: Left, top, right and bottom edge, shape (4,); see
            :func:`mmreid_ext.pictures.boxes.crop_edges`.
        name: What messages call the box.
    """

    frame: np.ndarray
    box: np.ndarray
    name: str


Picture = str | os.PathLike | np.ndarray | Image.Image | Region

EXPECTED = (
    "expected an array (H, W, 3) uint8 in BGR order, (H, W) or (H, W, 4); a PIL image; or a path"
)

RGB_TO_BGR = cv2.COLOR_RGB2BGR, cv2.COLOR_RGBA2BGRA
"""How OpenCV calls the change of order, without and with transparency."""


def is_one_picture(images: Any) -> bool:
    """Tell a single picture from several; :func:`as_bgr` checks it."""
    if isinstance(images, np.ndarray):
        return images.ndim < 4 and images.dtype != object
    return isinstance(images, (str, os.PathLike, bytes, bytearray, memoryview, Image.Image, Region))


def regions(frame: np.ndarray, boxes: Any) -> list[Region]:
    """Return the boxes of a frame as pictures.

    Args:
        frame: Shape (H, W, 3), uint8, BGR.
        boxes: Left, top, right and bottom edges, (N, 4): array or lists; N may be 0.

    Raises:
        UserError: If ``boxes`` has another shape or holds no numbers.
    """
    try:
        array = np.asarray(boxes, np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(f"crops: boxes aren't numbers of shape (N, 4), {error}.") from error
    if array.size == 0 and array.ndim < 3:
        return []
    if array.ndim != 2 or array.shape[1] != 4:
        raise UserError(
            f"crops: boxes has shape {array.shape}, must be (N, 4): left, top, right and bottom "
            "edges in pixels; leave out other columns, such as boxes[:, :4]."
        )
    return [Region(frame, box, f"Box {index}") for index, box in enumerate(array)]


def as_bgr(picture: Any, name: str, expected: str = EXPECTED) -> np.ndarray:
    """Convert a picture to (H, W, 3) uint8 in BGR order; transparent parts become black.

    Args:
        picture: Array in BGR(A) order or grey, PIL image, which is turned upright as its EXIF data
            say, or a box of a frame.
        name: What messages call it.
        expected: What messages say that it can be.

    Raises:
        UserError: If it is no picture, is empty, or has other values than 0 to 255.
    """
    if isinstance(picture, Region):
        return crop_edges(picture.frame, picture.box, picture.name)
    if isinstance(picture, Image.Image):
        try:
            return _from_pil(picture, name, expected)
        except UserError:
            raise
        except (OSError, ValueError, SyntaxError) as error:  # read late: cut off, closed, damaged
            raise UserError(f"{name}, a PIL image, can't be read: {error}.") from error
    if isinstance(picture, np.ndarray):
        return bgr_of_array(picture, name, picture, expected)
    raise UserTypeError(f"{name} is of type {type(picture).__name__}; {expected}.")


def bgr_of_array(
    array: np.ndarray,
    name: str,
    given: Any,
    expected: str = EXPECTED,
    order: tuple[int, int] | None = None,
) -> np.ndarray:
    """Convert an array to (H, W, 3) uint8 in BGR order; see :func:`as_bgr`.

    Args:
        array: Shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).
        name: What messages call it.
        given: What it was made of, for messages.
        expected: See :func:`as_bgr`.
        order: :data:`RGB_TO_BGR` if its channels are in that order. None: they are BGR.
    """
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.size == 0:
        raise unusable(name, given, expected)
    if array.ndim == 2 or array.shape[2] == 1:
        return cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_GRAY2BGR)
    if array.shape[2] not in (3, 4):
        raise unusable(name, given, expected)
    array = np.ascontiguousarray(array)
    if order is not None:
        array = cv2.cvtColor(array, order[array.shape[2] - 3])
    if array.shape[2] == 3:
        return array
    share = array[..., 3:] / np.float32(255)
    return (array[..., :3] * share).round().astype(np.uint8)


def unusable(name: str, given: Any, expected: str = EXPECTED) -> UserError:
    """Return the error that says what a picture is, and what it must be."""
    shape = tuple(getattr(given, "shape", ()))
    kind = getattr(given, "dtype", type(given).__name__)
    return UserError(f"{name} has shape {shape} and type {kind}; {expected}.")


def _from_pil(picture: Image.Image, name: str, expected: str) -> np.ndarray:
    if 0 in picture.size:
        raise UserError(f"{name} is empty: {picture.width} x {picture.height} pixels.")
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture)
        deep = values if picture.mode == "F" else values.clip(0, 65535).astype(np.uint16)
        try:
            check_depth(deep)
        except OSError as error:
            raise UserError(f"{name}: {error}.") from None
        return cv2.cvtColor((deep >> 8).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    if picture.has_transparency_data:
        rgba = np.asarray(picture.convert("RGBA"))
        return bgr_of_array(rgba, name, picture, expected, RGB_TO_BGR)
    return cv2.cvtColor(np.asarray(picture.convert("RGB")), cv2.COLOR_RGB2BGR)
