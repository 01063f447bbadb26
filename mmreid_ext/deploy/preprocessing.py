"""Turn a decoded picture into the input of an exported model, in float32.

Training resizes 8-bit pixels, with the fixed-point arithmetic of OpenCV or Pillow. Here the pixels
are made float32 first, so that any program can get the same numbers: ``docs/deploy/embedder.md``
has the definition.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from mmreid_ext.errors import UserError

from .image_step import ImageStep
from .input_info import InputInfo

MAX_PIXELS = 100_000_000
"""Largest picture between two steps: a strip of 1 x 50,000 pixels would become gigabytes."""

_BY_CHANNEL = 16_000_000
"""Pixels from which on one channel after another is made floats: a third of the memory."""

_CV2 = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
    "lanczos": cv2.INTER_LANCZOS4,
}
_PILLOW = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "box": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
    "hamming": Image.Resampling.HAMMING,
}


class Preparation:
    """Make the input of a model from pictures.

    Args:
        info: What the model takes.
    """

    def __init__(self, info: InputInfo) -> None:
        self.info = info
        self.dtype = np.dtype(np.uint8 if info.kind == "uint8" else np.float32)
        size = info.height, info.width
        self.shape = (*size, 3) if info.kind == "uint8" else (3, *size)
        self._mean, self._std = np.zeros(3, np.float32), np.ones(3, np.float32)
        if info.mean is not None and info.std is not None and info.kind == "normalized":
            self._mean = np.asarray(info.mean, np.float32)
            self._std = np.asarray(info.std, np.float32)
        elif info.kind == "rgb01":
            self._std = np.full(3, 255, np.float32)
        ends = np.stack([(np.float32(v) - self._mean) / self._std for v in (0, 255)])
        self.limits = float(ends.min()), float(ends.max())
        """Smallest and largest number of an input."""

    def __call__(self, image: np.ndarray, name: str) -> np.ndarray:
        """Return the input of one picture.

        Args:
            image: Shape (H, W, 3), uint8, BGR.
            name: What messages call it.

        Returns:
            Shape (3, height, width) float32, or (height, width, 3) uint8, as the model takes it.

        Raises:
            UserError: If the steps don't give the size that the model takes.
        """
        pixels = follow(self.info.steps, image, name)
        if pixels.shape[:2] != (self.info.height, self.info.width):
            raise UserError(
                f"{name} is {pixels.shape[0]} x {pixels.shape[1]} after the steps of the model's "
                f"record, the model takes {self.info.height} x {self.info.width}: give pictures "
                "that the steps bring to that size, or export the model with a Resize."
            )
        if self.info.kind != "normalized" or self.info.channel_order == "RGB":
            pixels = pixels[:, :, ::-1]
        if self.info.kind == "uint8":
            return np.ascontiguousarray(np.rint(pixels).astype(np.uint8))
        normalized = (pixels - self._mean) / self._std
        return np.ascontiguousarray(normalized.transpose(2, 0, 1), dtype=np.float32)


def follow(steps: tuple[ImageStep, ...], image: np.ndarray, name: str) -> np.ndarray:
    """Resize and crop a picture.

    Args:
        steps: What to do, in order.
        image: Shape (H, W, 3), uint8 or float32.
        name: What messages call it.

    Returns:
        Shape (H', W', 3), float32 in 0..255; whole numbers only if no step has resized.
    """
    for step in steps:
        if step.type == "center_crop":
            image = _center_crop(image, step)
        else:
            image = _resize(image, *_target(image, step, name), step)
    return image.astype(np.float32, copy=False)


def _target(image: np.ndarray, step: ImageStep, name: str) -> tuple[int, int]:
    """Return height and width after a resizing."""
    if step.height is not None and step.width is not None:
        return step.height, step.width
    height, width = image.shape[:2]
    size = step.size or 0
    wide = step.edge == "width" or {"short": width < height, "long": width > height}.get(
        step.edge or "", False
    )
    target = (int(size * height / width), size) if wide else (size, int(size * width / height))
    if min(target) < 1 or target[0] * target[1] > MAX_PIXELS:
        raise UserError(
            f"{name} of {height} x {width} pixels would become {target[0]} x {target[1]}, must be "
            f"from 1 to {MAX_PIXELS:,} pixels; leave it out, or cut out the person."
        )
    return target


def _resize(image: np.ndarray, height: int, width: int, step: ImageStep) -> np.ndarray:
    if image.shape[:2] == (height, width):
        return image
    name = step.interpolation or "bilinear"
    resize = _by_pillow if step.backend == "pillow" else _by_opencv
    if step.backend == "pillow" or image.shape[0] * image.shape[1] > _BY_CHANNEL:
        channels = [resize(image[:, :, c], height, width, name) for c in range(3)]
        resized = np.stack(channels, 2)
    else:
        resized = resize(image, height, width, name)
    return resized.clip(0, 255, out=resized)  # bicubic and Lanczos overshoot at edges


def _by_opencv(image: np.ndarray, height: int, width: int, name: str) -> np.ndarray:
    floats = image.astype(np.float32, copy=False)
    return cv2.resize(floats, (width, height), interpolation=_CV2[name])


def _by_pillow(channel: np.ndarray, height: int, width: int, name: str) -> np.ndarray:
    floats = Image.fromarray(channel.astype(np.float32))  # mode "F": Pillow computes in floats
    return np.asarray(floats.resize((width, height), _PILLOW[name]))


def _center_crop(image: np.ndarray, step: ImageStep) -> np.ndarray:
    height, width = image.shape[:2]
    rows, columns = min(step.height or 0, height), min(step.width or 0, width)
    top, left = round((height - rows) / 2), round((width - columns) / 2)
    return image[top : top + rows, left : left + columns]
