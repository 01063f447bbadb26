"""Shift images by some pixels, zeros moving in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from .augment import Augment
from .random_numbers import integers, uniforms


@dataclass(frozen=True)
class Shift(Augment):
    """Pad all sides with zeros, then crop the original size. A row holds pixels down and right.

    Args:
        padding: Pixels per side.
        offset_overrun: By how much the largest offset of the crop exceeds ``2 * padding``.
    """

    padding: int
    offset_overrun: int = 0
    columns: ClassVar[int] = 2

    def draw(self, keys: np.ndarray, height: int, width: int) -> np.ndarray:
        """Draw both shifts from ``padding`` down to ``-padding - offset_overrun``."""
        offsets = integers(uniforms(keys, 2), 2 * self.padding + self.offset_overrun + 1)
        return (self.padding - offsets).astype(np.float32)

    def change_image(self, image: np.ndarray, row: list[float]) -> np.ndarray:
        """Shift (H, W) or (H, W, C) of any type."""
        return shifted(image, int(row[0]), int(row[1]))

    def change_batch(self, images: Tensor, rows: Tensor) -> Tensor:
        """Shift each image by its row."""
        count, channels, height, width = images.shape
        y, is_inside_y = _sources(rows[:, 0], height)
        x, is_inside_x = _sources(rows[:, 1], width)
        device = images.device
        image = torch.arange(count, device=device).view(-1, 1, 1, 1)
        channel = torch.arange(channels, device=device).view(1, -1, 1, 1)
        moved = images[image, channel, y.view(count, 1, -1, 1), x.view(count, 1, 1, -1)]
        is_inside = is_inside_y.view(count, 1, -1, 1) & is_inside_x.view(count, 1, 1, -1)
        return moved.mul_(is_inside)


def _sources(shift: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Where each pixel of an axis comes from, and whether that is inside; both (N, size)."""
    source = torch.arange(size, device=shift.device) - shift.long()[:, None]
    return source.clamp(0, size - 1), (source >= 0) & (source < size)


def shifted(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """Move the content of ``image`` (H, W) or (H, W, C) by some pixels; zeros move in."""
    height, width = image.shape[:2]
    if abs(down) >= height or abs(right) >= width:
        return np.zeros_like(image)
    kept = image[max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)]
    borders = (max(down, 0), max(-down, 0), max(right, 0), max(-right, 0))
    return cv2.copyMakeBorder(kept, *borders, cv2.BORDER_CONSTANT).reshape(image.shape)
