"""The pixels that a model gets from a tracker: its cut and its resize, in words of our own.

Nothing here is code of a tracker. The functions follow what was measured of each package;
``tools/benchmarks/trackers.py`` compares them with the packages themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import cv2
import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from mmreid_ext.errors import UserError
from mmreid_ext.export.normalization import Normalization

from .table import TRACKERS

Box: TypeAlias = Sequence[float]
"""Left, top, right and bottom edge in pixels."""


def tracker_pixels(
    tracker: str,
    frame: np.ndarray,
    boxes: Sequence[Box] | np.ndarray,
    size: tuple[int, int],
) -> np.ndarray:
    """Cut people out of a frame and resize them as a tracker does.

    Args:
        tracker: A name of :data:`.table.TRACKERS` that has a resize of its own.
        frame: Shape (H, W, 3), uint8 BGR.
        boxes: People in it.
        size: Height and width of the model's images.

    Returns:
        Shape (N, height, width, 3), float32, RGB in 0..255, before any mean and deviation.

    Raises:
        UserError: If the tracker has none, or a box holds no pixel.
    """
    if tracker not in _VIEWS:
        raise UserError(f"tracker_pixels: {tracker!r} must be one of {', '.join(_VIEWS)}.")
    edges, resize = _VIEWS[tracker]
    pictures = []
    for number, box in enumerate(boxes):
        left, top, right, bottom = edges(box, frame.shape[:2])
        crop = frame[top:bottom, left:right]
        if crop.size == 0:
            raise UserError(f"tracker_pixels: box {number}, {list(box)}, holds no pixel.")
        pictures.append(resize(np.ascontiguousarray(crop[..., ::-1]), size))
    return np.stack(pictures).astype(np.float32) if pictures else np.zeros((0, *size, 3), "f4")


def as_fed(pixels: np.ndarray, kind: str, outside: Normalization | None) -> np.ndarray:
    """Turn pixels into what a tracker passes to the model.

    Args:
        pixels: See :func:`tracker_pixels`.
        kind: ``rgb01``, or ``normalized`` with ``outside``.
        outside: How the tracker normalises.

    Returns:
        Shape (N, 3, height, width), float32.
    """
    planes = pixels.transpose(0, 3, 1, 2)
    if kind == "rgb01" or outside is None:
        return np.ascontiguousarray(planes / np.float32(255))
    if outside.channel_order == "BGR":
        planes = planes[:, ::-1]
    mean, std = np.array([outside.mean, outside.std], np.float32).reshape(2, 1, 3, 1, 1)
    return np.ascontiguousarray((planes - mean) / std)


def _rounded_edges(box: Box, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Edges to the nearest pixel, cut off at those of the frame."""
    left, top, right, bottom = (int(v) for v in np.rint(np.asarray(box, np.float32)))
    return max(left, 0), max(top, 0), min(right, shape[1]), min(bottom, shape[0])


def _enlarged_edges(box: Box, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """A larger box round the same middle; fractions are dropped."""
    factor, extra = TRACKERS["ultralytics"].enlarges
    left, top, right, bottom = (np.float32(v) for v in box)
    middle = (left + right) / 2, (top + bottom) / 2
    half = ((right - left) * factor + extra) / 2, ((bottom - top) * factor + extra) / 2
    edges = (middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1])
    rows, columns = shape
    limits = (columns, rows, columns, rows)
    x1, y1, x2, y2 = (min(max(int(e), 0), most) for e, most in zip(edges, limits, strict=True))
    return x1, y1, x2, y2


def _dropped_edges(box: Box, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Fractions are dropped, and the last row and column of the frame are never reached."""
    left, top, right, bottom = (int(v) for v in box)
    return max(left, 0), max(top, 0), min(right, shape[1] - 1), min(bottom, shape[0] - 1)


def _opencv_bytes(crop: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(crop, size[::-1], interpolation=cv2.INTER_LINEAR)


def _torch_floats(crop: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Linear between four pixels, also where it shrinks; the result isn't rounded."""
    planes = torch.from_numpy(crop).permute(2, 0, 1)[None].float()
    found = functional.interpolate(planes, size=size, mode="bilinear", align_corners=False)
    return found[0].permute(1, 2, 0).numpy()


def _pillow_bytes(crop: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Linear, over all the pixels that one stands for where it shrinks."""
    resized = Image.fromarray(crop).resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(resized)


_Edges: TypeAlias = Callable[[Box, tuple[int, int]], tuple[int, int, int, int]]
_Resize: TypeAlias = Callable[[np.ndarray, tuple[int, int]], np.ndarray]
_VIEWS: dict[str, tuple[_Edges, _Resize]] = {
    "boxmot": (_rounded_edges, _opencv_bytes),
    "ultralytics": (_enlarged_edges, _torch_floats),
    "strongsort": (_dropped_edges, _pillow_bytes),
}
