"""Colour jitter with torchvision's meaning, at OpenCV's speed."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ReIDColorJitter(BaseTransform):
    """Change brightness, contrast, saturation and hue in random order, as torchvision does.

    Factors are uniform in ``[max(0, 1 - x), 1 + x]``, the hue shift in ``[-hue, hue]`` turns; the
    order of the four is a random permutation, and every step clips to [0, 255].

    The four operations are those of ``torchvision.transforms.ColorJitter`` on PIL images, computed
    with OpenCV: brightness and contrast within one grey level of it, saturation too, hue within
    the rounding of the 8-bit HSV space (on photographs a tenth of a level on average). It takes a
    sixth of PIL's time, which would be the largest cost of loading. MMPretrain's ``ColorJitter``
    wraps PIL, and its negative hue shifts depend on the processor (a float below zero cast to
    uint8).

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
        self._low = np.array([max(0.0, 1 - amount) for amount in self.amounts] + [-hue])
        self._range = np.array([1 + amount for amount in self.amounts] + [hue]) - self._low

    @cache_randomness
    def draw_changes(self) -> list[tuple[int, float]]:
        """Return the pairs of operation (index of ``OPERATIONS``) and factor, in order."""
        if np.random.rand() >= self.prob:
            return []
        factors = (self._low + self._range * np.random.rand(4)).tolist()
        order = np.random.permutation(4).tolist()
        return [(i, factors[i]) for i in order if self._range[i] > 0]

    def transform(self, results: dict) -> dict:
        """Change ``results['img']``."""
        image = results["img"]
        if image.dtype != np.uint8:
            raise UserTypeError(f"ReIDColorJitter needs uint8 images, got {image.dtype}.")
        for operation, factor in self.draw_changes():
            image = OPERATIONS[operation](image, factor, self.bgr)
        results["img"] = image
        return results

    def __repr__(self) -> str:
        brightness, contrast, saturation = self.amounts
        return (
            f"{type(self).__name__}(brightness={brightness}, contrast={contrast}, "
            f"saturation={saturation}, hue={self.hue}, prob={self.prob})"
        )


# PIL cuts a blended level towards zero; OpenCV rounds it.
_CUT = -0.5


def adjust_brightness(image: np.ndarray, factor: float, bgr: bool = True) -> np.ndarray:
    """Blend with black: ``factor * x``."""
    return cv2.convertScaleAbs(image, alpha=factor, beta=_CUT)


def adjust_contrast(image: np.ndarray, factor: float, bgr: bool = True) -> np.ndarray:
    """Blend with the mean grey ``m`` of the image: ``m + factor * (x - m)``."""
    mean = int(cv2.mean(_gray(image, bgr))[0] + 0.5)
    return cv2.addWeighted(image, factor, image, 0, mean * (1 - factor) + _CUT)


def adjust_saturation(image: np.ndarray, factor: float, bgr: bool = True) -> np.ndarray:
    """Blend with the grey of each pixel: ``g + factor * (x - g)``."""
    gray = cv2.cvtColor(_gray(image, bgr), cv2.COLOR_GRAY2BGR)
    return cv2.addWeighted(image, factor, gray, 1 - factor, _CUT)


def adjust_hue(image: np.ndarray, turns: float, bgr: bool = True) -> np.ndarray:
    """Turn the hue by a part of the circle: ``int(255 * turns)`` steps of 256, as torchvision."""
    to_hsv = cv2.COLOR_BGR2HSV_FULL if bgr else cv2.COLOR_RGB2HSV_FULL
    from_hsv = cv2.COLOR_HSV2BGR_FULL if bgr else cv2.COLOR_HSV2RGB_FULL
    hsv: np.ndarray = cv2.cvtColor(image, to_hsv)
    hsv[..., 0] += np.uint8(int(turns * 255) % 256)  # wraps around
    return cv2.cvtColor(hsv, from_hsv)


def _gray(image: np.ndarray, bgr: bool) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY if bgr else cv2.COLOR_RGB2GRAY)


OPERATIONS: tuple[Callable[[np.ndarray, float, bool], np.ndarray], ...] = (
    adjust_brightness,
    adjust_contrast,
    adjust_saturation,
    adjust_hue,
)
