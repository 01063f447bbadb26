"""An image whose augmentations haven't run yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mmreid_ext.augmentation.augment import Augment
from mmreid_ext.augmentation.pending import PendingAugments


@dataclass(slots=True, eq=False)
class PackedImage:
    """What a pipeline ending in ``PackForDevice`` makes of an image; ``reid_collate`` takes it.

    It is no dict on purpose: a collation that doesn't know it would lose the augmentations.

    Args:
        image: (H, W, 3) uint8.
        facts: Metadata of the image.
        label: Class label, None without.
        seed: Seed of its draws, in ``[0, 2**63)``.
        step: Random steps of ours that its pipeline has made already.
        augments: What is still to run.
    """

    image: np.ndarray
    facts: dict[str, Any]
    label: int | None
    seed: int
    step: int
    augments: tuple[Augment, ...]

    def augmented(self) -> np.ndarray:
        """Run the augmentations on the host, to look at the image: (H, W, 3) uint8."""
        height, width = self.image.shape[:2]
        seeds, steps = np.array([self.seed], np.uint64), np.array([self.step])
        pending = PendingAugments.drawn(self.augments, seeds, steps, height, width)
        return next(pending.on_host(self.image[None]))
