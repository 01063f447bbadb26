"""Change brightness, contrast, saturation and hue in random order."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from .augment import Augment
from .color_batch import change_colors
from .color_host import OPERATIONS
from .random_numbers import integers, uniforms

_ORDERS = np.array(list(itertools.permutations(range(4))))


@dataclass(frozen=True)
class ColorJitter(Augment):
    """Change colours. A row holds the operations in their order (-1: none), then their factors.

    Factors are uniform in ``[max(0, 1 - x), 1 + x]``. That of the hue is a number of steps, 256 of
    them a circle: ``int(255 * U(-hue, hue))``, as torchvision.

    Args:
        brightness: x of the brightness, at least 0.
        contrast: x of the contrast.
        saturation: x of the saturation.
        hue: In [0, 0.5].
        prob: Share of images that are changed.
        bgr: Whether images are BGR.
    """

    brightness: float
    contrast: float
    saturation: float
    hue: float
    prob: float = 1.0
    bgr: bool = True
    columns: ClassVar[int] = 8

    def draw(self, keys: np.ndarray, height: int, width: int) -> np.ndarray:
        """Draw orders and factors."""
        amounts = np.array([self.brightness, self.contrast, self.saturation, self.hue])
        low, high = np.maximum(0, 1 - amounts), 1 + amounts
        low[3], high[3] = -255 * self.hue, 255 * self.hue
        uniform = uniforms(keys, 6)
        order = _ORDERS[integers(uniform[:, 1], len(_ORDERS))]
        factors = low + (high - low) * uniform[:, 2:]
        factors[:, 3] = np.trunc(factors[:, 3])
        factors = np.take_along_axis(factors, order, 1)
        is_made = (amounts > 0)[order] & (uniform[:, :1] < self.prob)
        return np.concatenate([np.where(is_made, order, -1), factors], 1).astype(np.float32)

    def change_image(self, image: np.ndarray, row: list[float]) -> np.ndarray:
        """Change (H, W, 3) uint8."""
        for operation, factor in zip(row[:4], row[4:], strict=True):
            if operation >= 0:
                image = OPERATIONS[int(operation)](image, factor, self.bgr)
        return image

    def change_batch(self, images: Tensor, rows: Tensor) -> Tensor:
        """Change each image by its row."""
        changed = images.to(torch.float32, copy=True)
        for place in range(4):
            changed = change_colors(changed, rows[:, place], rows[:, 4 + place], self.bgr)
        return changed.to(torch.uint8)
