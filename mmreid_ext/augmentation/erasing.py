"""Erase a random rectangle of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from .augment import Augment
from .random_numbers import integers, uniforms


@dataclass(frozen=True)
class Erasing(Augment):
    """Erase a rectangle. A row holds top, left, height, width (zeros: none) and the colour.

    Up to ``attempts`` times: ``area = U(area_range) * H * W``, ``aspect = U(aspect_range)``,
    ``h = round(sqrt(area * aspect))``, ``w = round(sqrt(area / aspect))``; the first with ``h < H``
    and ``w < W`` is placed uniformly.

    Args:
        prob: Probability, in [0, 1].
        area_range: Smallest and largest share of the image.
        aspect_range: Smallest and largest height / width.
        color: Three levels in the order of the image's channels; rounded in uint8 images.
        attempts: Rectangles tried.
    """

    prob: float
    area_range: tuple[float, ...]
    aspect_range: tuple[float, ...]
    color: tuple[float, ...]
    attempts: int = 100
    columns: ClassVar[int] = 7

    def draw(self, keys: np.ndarray, height: int, width: int) -> np.ndarray:
        """Draw the rectangles; an image takes part in the attempts until one fits."""
        rows = np.zeros((len(keys), self.columns), np.float32)
        rows[:, 4:] = self.color
        waiting = np.flatnonzero(uniforms(keys, 1)[:, 0] < self.prob)
        for attempt in range(self.attempts):
            if not len(waiting):
                break
            uniform = uniforms(keys[waiting], 4, first=1 + 4 * attempt)
            boxes = self._boxes(uniform, height, width)
            fits = (boxes[:, 2] < height) & (boxes[:, 3] < width)
            rows[waiting[fits], :4] = boxes[fits]
            waiting = waiting[~fits]
        return rows

    def _boxes(self, uniform: np.ndarray, height: int, width: int) -> np.ndarray:
        """Make top, left, height and width of four numbers per image in [0, 1)."""
        low, high = np.array([self.area_range, self.aspect_range]).T
        area, aspect = (low + (high - low) * uniform[:, :2]).T
        sizes = np.sqrt(area * height * width * np.stack([aspect, 1 / aspect])).round()
        room = np.maximum(np.array([[height], [width]]) - sizes + 1, 1)
        return np.stack([*integers(uniform[:, 2:].T, room), *sizes], axis=1)

    def change_image(self, image: np.ndarray, row: list[float]) -> np.ndarray:
        """Erase in a copy of (H, W, 3), or leave the image."""
        top, left, height, width = map(int, row[:4])
        if not height:
            return image
        image = image.copy()
        color = row[4:] if image.dtype.kind == "f" else np.rint(row[4:])
        image[top : top + height, left : left + width] = color
        return image

    def change_batch(self, images: Tensor, rows: Tensor) -> Tensor:
        """Erase each image by its row."""
        count, channels, height, width = images.shape
        is_row = _covered(rows[:, 0], rows[:, 2], height).view(count, 1, -1, 1)
        is_column = _covered(rows[:, 1], rows[:, 3], width).view(count, 1, 1, -1)
        color = rows[:, 4:].round().to(images.dtype).view(count, channels, 1, 1)
        return torch.where(is_row & is_column, color, images)


def _covered(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Whether each place of an axis lies in the interval of each image, (N, size)."""
    place = torch.arange(size, device=start.device)
    return (place >= start[:, None]) & (place < (start + length)[:, None])
