"""Mirror images left to right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from .augment import Augment, per_image
from .random_numbers import uniforms


@dataclass(frozen=True)
class Mirror(Augment):
    """Mirror a share of the images. A row holds 1 or 0.

    Args:
        prob: Probability, in [0, 1].
    """

    prob: float
    columns: ClassVar[int] = 1

    def draw(self, keys: np.ndarray, height: int, width: int) -> np.ndarray:
        """Draw whether to mirror."""
        return (uniforms(keys, 1) < self.prob).astype(np.float32)

    def change_image(self, image: np.ndarray, row: list[float]) -> np.ndarray:
        """Mirror (H, W) or (H, W, C) of any type, or leave it."""
        return cv2.flip(image, 1) if row[0] else image

    def change_batch(self, images: Tensor, rows: Tensor) -> Tensor:
        """Mirror the images whose row says so."""
        return torch.where(per_image(rows[:, 0]).bool(), images.flip(-1), images)
