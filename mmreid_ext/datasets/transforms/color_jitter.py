"""Colour jitter with torchvision's meaning, at OpenCV's speed."""

from __future__ import annotations

import numpy as np

from mmreid_ext.augmentation.color_jitter import ColorJitter
from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.registry import TRANSFORMS

from .drawn import DrawnTransform


@TRANSFORMS.register_module()
class ReIDColorJitter(DrawnTransform):
    """Change brightness, contrast, saturation and hue in random order, as torchvision does.

    Factors are uniform in ``[max(0, 1 - x), 1 + x]``, the hue shift in ``[-hue, hue]`` turns; the
    order of the four is a random permutation, and every step clips to [0, 255].

    The four operations are those of ``torchvision.transforms.ColorJitter`` on PIL images, within
    one grey level: brightness, contrast and saturation. The hue is turned exactly, where
    torchvision goes through 8-bit HSV (on photographs half a level on average). MMPretrain's
    ``ColorJitter`` wraps PIL and takes six times as long, and its negative hue shifts depend on the
    processor (a float below zero cast to uint8).

    Defaults are those of MetaBIN's single-source training (Choi et al., CVPR 2021,
    https://arxiv.org/abs/2011.14670), applied to every image.

    Modified key: ``img``, (H, W, 3) uint8.

    Args:
        brightness: Defaults to 0.15.
        contrast: Defaults to 0.15.
        saturation: Defaults to 0.1.
        hue: In [0, 0.5]. Defaults to 0.1.
        prob: Share of images that are changed. Defaults to 1.
        bgr: Whether images are BGR, as MMCV loads them. Defaults to True.

    Raises:
        ValueError: If a number is out of range.
        TypeError: If an image is not uint8.
    """

    def __init__(
        self,
        brightness: float = 0.15,
        contrast: float = 0.15,
        saturation: float = 0.1,
        hue: float = 0.1,
        prob: float = 1.0,
        bgr: bool = True,
    ) -> None:
        self.amounts = (brightness, contrast, saturation)
        if min(self.amounts) < 0 or not 0 <= hue <= 0.5 or not 0 <= prob <= 1:
            raise UserError(
                f"ReIDColorJitter: brightness, contrast, saturation = {self.amounts} must be >= 0, "
                f"hue={hue} in [0, 0.5], prob={prob} in [0, 1]."
            )
        self.hue, self.prob, self.bgr = hue, prob, bgr
        self.augment = ColorJitter(*self.amounts, hue, prob, bgr)

    def transform(self, results: dict) -> dict:
        """Change ``results['img']``."""
        if results["img"].dtype != np.uint8:
            raise UserTypeError(
                f"ReIDColorJitter needs uint8 images, got {results['img'].dtype}; "
                "put it before transforms that normalise."
            )
        return super().transform(results)

    def __repr__(self) -> str:
        brightness, contrast, saturation = self.amounts
        return (
            f"{type(self).__name__}(brightness={brightness}, contrast={contrast}, "
            f"saturation={saturation}, hue={self.hue}, prob={self.prob})"
        )
