"""Draw a random change for a batch, and apply it in two ways: the base of all augmentations.

N images of H x W pixels; ``rows`` holds what is drawn, one row of K numbers per image.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from torch import Tensor


class Augment(ABC):
    """A random change of images that keeps their size.

    The two ways differ by one grey level at most, where they round differently. Subclasses are
    frozen data classes: they travel to other processes, and two with equal settings are equal.
    """

    columns: ClassVar[int]
    """Numbers drawn per image, K."""

    @abstractmethod
    def draw(self, keys: np.ndarray, height: int, width: int) -> np.ndarray:
        """Draw for N images; the row of an image depends on nothing but its own key.

        Args:
            keys: One per image, uint64 (N,); see :mod:`.random_numbers`.
            height: H.
            width: W.

        Returns:
            float32 (N, K).
        """

    @abstractmethod
    def change_image(self, image: np.ndarray, row: list[float]) -> np.ndarray:
        """Change an image on the host, by OpenCV.

        Args:
            image: (H, W, 3) uint8. It isn't written to; it may be what is returned.
            row: K numbers.
        """

    @abstractmethod
    def change_batch(self, images: Tensor, rows: Tensor) -> Tensor:
        """Change a batch on any device, by PyTorch; the host doesn't wait for the device.

        Args:
            images: (N, 3, H, W) uint8. It isn't written to; it may be what is returned.
            rows: (N, K) float32, on the same device.
        """


def per_image(column: Tensor) -> Tensor:
    """View one number per image (N,) so that it is broadcast over a batch: (N, 1, 1, 1)."""
    return column.view(-1, 1, 1, 1)
