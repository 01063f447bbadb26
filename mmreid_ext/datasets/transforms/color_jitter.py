"""Colour jitter with torchvision's meaning."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from PIL import Image, ImageEnhance

from mmreid_ext.registry import TRANSFORMS

_ENHANCERS = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)


@TRANSFORMS.register_module()
class ReIDColorJitter(BaseTransform):
    """Change brightness, contrast, saturation and hue in random order, as torchvision does on PIL images.

    Factors are uniform in ``[max(0, 1 - x), 1 + x]``, the hue shift in ``[-hue, hue]`` turns; the order of the
    four is a random permutation. Pixels equal those of ``torchvision.transforms.ColorJitter`` with the same
    factors. MMPretrain's ``ColorJitter`` converts between BGR and RGB four times, and its negative hue
    shifts depend on the processor (a float below zero cast to uint8).

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
            raise ValueError(
                f"ReIDColorJitter: brightness, contrast, saturation = {self.amounts} must be >= 0, hue={hue} in "
                f"[0, 0.5], prob={prob} in [0, 1]."
            )
        self.hue, self.prob, self.bgr = hue, prob, bgr

    @cache_randomness
    def draw_changes(self) -> list[tuple[int, float]]:
        """Pairs of operation (0 brightness, 1 contrast, 2 saturation, 3 hue) and factor, in order."""
        if np.random.rand() >= self.prob:
            return []
        low = [max(0.0, 1 - amount) for amount in self.amounts] + [-self.hue]
        high = [1 + amount for amount in self.amounts] + [self.hue]
        factors = np.random.uniform(low, high).tolist()
        order = np.random.permutation(4).tolist()
        return [(i, factors[i]) for i in order if high[i] > low[i]]

    def transform(self, results: dict) -> dict:
        """Change ``results['img']``."""
        changes = self.draw_changes()
        if changes:
            pixels = results["img"]
            if pixels.dtype != np.uint8:
                raise TypeError(f"ReIDColorJitter needs uint8 images, got {pixels.dtype}.")
            image = Image.fromarray(np.ascontiguousarray(pixels[..., ::-1] if self.bgr else pixels))
            for operation, factor in changes:
                image = _shift_hue(image, factor) if operation == 3 else _ENHANCERS[operation](image).enhance(factor)
            pixels = np.array(image)
            results["img"] = np.ascontiguousarray(pixels[..., ::-1]) if self.bgr else pixels
        return results

    def __repr__(self) -> str:
        brightness, contrast, saturation = self.amounts
        return (
            f"{type(self).__name__}(brightness={brightness}, contrast={contrast}, saturation={saturation}, "
            f"hue={self.hue}, prob={self.prob})"
        )


def _shift_hue(image: Image.Image, turns: float) -> Image.Image:
    """Add ``turns`` (fraction of a full turn) to the hue; truncation towards zero as in torchvision."""
    hue, saturation, value = image.convert("HSV").split()
    steps = int(turns * 255) % 256
    hue = hue.point([(level + steps) % 256 for level in range(256)])
    return Image.merge("HSV", (hue, saturation, value)).convert("RGB")
