"""Random transforms whose draws are a function of the image's seed and of their place."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmreid_ext.augmentation.augment import Augment
from mmreid_ext.augmentation.random_numbers import number_of

SEED, STEPS = "draw_seed", "draw_steps"
"""Keys of an image's seed and of the number of random steps that it has behind it."""


class DrawnTransform(BaseTransform):
    """One image through one :class:`~mmreid_ext.augmentation.augment.Augment`.

    The data set puts the seed of the draw into ``results``; without one, the first such transform
    takes it from NumPy's global generator. :class:`PackForDevice` takes the same transforms, draws
    the same and runs them on whole batches.

    Attributes:
        augment: What is drawn and how it is applied.
    """

    augment: Augment
    reads_global_generators: ClassVar[bool] = False

    @cache_randomness
    def draw(self, results: dict) -> list[float]:
        """Draw for ``results['img']``, and count one more random step."""
        seed, step = seed_of(results), results.get(STEPS, 0)
        results[STEPS] = step + 1
        # For one image, what `pending.step_keys` is for a batch.
        keys = np.array([number_of(seed, step)], np.uint64)
        row: list[float] = self.augment.draw(keys, *results["img"].shape[:2])[0].tolist()
        return row

    def transform(self, results: dict) -> dict:
        """Change ``results['img']``."""
        results["img"] = self.augment.change_image(results["img"], self.draw(results))
        return results


def seed_of(results: dict) -> int:
    """Return the seed of an image, in ``[0, 2**63)``; make one if it has none."""
    if results.get(SEED) is None:
        results[SEED] = int(np.random.randint(2**63, dtype=np.uint64))
    seed: int = results[SEED]
    return seed
