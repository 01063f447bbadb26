"""Augmentations of a batch that are still to run, with what was drawn for each image.

N images of H x W pixels; K numbers are drawn per image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .augment import Augment
from .random_numbers import numbers_of


@dataclass(frozen=True)
class PendingAugments:
    """Augmentations in their order, and their draws.

    Args:
        augments: The augmentations.
        rows: (N, K) float32 on the host: the rows of all of them, side by side. One tensor, so one
            transfer.
    """

    augments: tuple[Augment, ...]
    rows: Tensor

    @classmethod
    def drawn(
        cls,
        augments: Sequence[Augment],
        seeds: np.ndarray,
        steps: np.ndarray,
        height: int,
        width: int,
    ) -> PendingAugments:
        """Draw for N images.

        Args:
            augments: The augmentations.
            seeds: Seed of each image, int64 (N,), ``>= 0``.
            steps: Random steps that each image has behind it, int64 (N,).
            height: H.
            width: W.
        """
        rows = [np.zeros((len(seeds), 0), np.float32)]
        for place, augment in enumerate(augments):
            rows.append(augment.draw(step_keys(seeds, steps + place), height, width))
        return cls(tuple(augments), torch.from_numpy(np.concatenate(rows, 1)))

    def pinned(self) -> PendingAugments:
        """Return the same with rows in pinned memory."""
        return PendingAugments(self.augments, self.rows.pin_memory())

    def on_device(self, images: Tensor, rows: Tensor) -> Tensor:
        """Run all of them on a batch.

        Args:
            images: (N, 3, H, W) uint8. It isn't written to.
            rows: The rows, on the device of the images.

        Returns:
            (N, 3, H, W) uint8.
        """
        start = 0
        for augment in self.augments:
            stop = start + augment.columns
            images = augment.change_batch(images, rows[:, start:stop])
            start = stop
        return images

    def on_host(self, images: np.ndarray) -> Iterator[np.ndarray]:
        """Run all of them on one image after the other, which stays in the cache meanwhile.

        Args:
            images: (N, H, W, 3) uint8. It isn't written to.

        Yields:
            (H, W, 3) uint8.
        """
        for image, row in zip(images, self.rows.tolist(), strict=True):
            start = 0
            for augment in self.augments:
                stop = start + augment.columns
                image = augment.change_image(image, row[start:stop])
                start = stop
            yield image


def step_keys(seeds: np.ndarray, steps: np.ndarray | int) -> np.ndarray:
    """Return what the random step number ``steps`` of images draws with, uint64 (N,).

    Two equal steps of a pipeline draw apart, because their numbers differ.
    """
    return numbers_of(seeds, steps)
