"""Random mirror image."""

from __future__ import annotations

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmreid_ext.errors import UserError
from mmreid_ext.registry import TRANSFORMS


@TRANSFORMS.register_module()
class HorizontalFlip(BaseTransform):
    """Mirror an image left to right with a probability.

    Draws and pixels are those of MMCV's ``RandomFlip``, whose general form (boxes, masks, several
    directions) and mirrored *view*, to be copied by whatever comes next, cost several times more.

    Modified key: ``img`` (H, W) or (H, W, C).

    Args:
        prob: Probability. Defaults to 0.5.

    Raises:
        ValueError: If ``prob`` is not in [0, 1].
    """

    def __init__(self, prob: float = 0.5) -> None:
        if not 0 <= prob <= 1:
            raise UserError(f"HorizontalFlip: prob={prob} is not in [0, 1].")
        self.prob = prob

    @cache_randomness
    def draw(self) -> bool:
        """Return whether to mirror."""
        return np.random.rand() < self.prob

    def transform(self, results: dict) -> dict:
        """Mirror ``results['img']``, or leave it."""
        if self.draw():
            results["img"] = cv2.flip(results["img"], 1)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prob={self.prob})"
