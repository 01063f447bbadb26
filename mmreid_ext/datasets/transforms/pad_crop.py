"""Random shift of the picture, zeros moving in."""

from __future__ import annotations

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmreid_ext.errors import UserError
from mmreid_ext.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PadCrop(BaseTransform):
    """Pad all sides with zeros, then crop the original size at a random place.

    Top and left are drawn uniformly from the integers ``0 .. 2 * padding``, both ends included, as
    in the strong baseline (Luo et al., CVPRW 2019, https://arxiv.org/abs/1903.07071) and MetaBIN.
    The padded image is never made: the result is a zero image with the overlap copied into it.

    Modified key: ``img``.

    Args:
        padding: Pixels per side. Defaults to 10.
        offset_overrun: Additional largest offset; 1 reproduces PaddleClas, whose crop may reach one
            row or column past the padding (zeros). Defaults to 0.

    Raises:
        ValueError: If a number is negative.
    """

    def __init__(self, padding: int = 10, offset_overrun: int = 0) -> None:
        if padding < 0 or offset_overrun < 0:
            raise UserError(
                f"PadCrop: padding={padding}, offset_overrun={offset_overrun}; both must be >= 0."
            )
        self.padding, self.offset_overrun = padding, offset_overrun

    @cache_randomness
    def draw_offsets(self) -> tuple[int, int]:
        """Top and left corner of the crop in the padded image."""
        top, left = np.random.randint(0, 2 * self.padding + self.offset_overrun + 1, size=2)
        return int(top), int(left)

    def transform(self, results: dict) -> dict:
        """Shift ``results['img']``."""
        image = results["img"]
        top, left = self.draw_offsets()
        results["img"] = shift(image, self.padding - top, self.padding - left)
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(padding={self.padding}, offset_overrun={self.offset_overrun})"
        )


def shift(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """Move the content of ``image`` (H, W) or (H, W, C) by some pixels; zeros move in."""
    height, width = image.shape[:2]
    if abs(down) >= height or abs(right) >= width:
        return np.zeros_like(image)
    kept = image[max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)]
    borders = (max(down, 0), max(-down, 0), max(right, 0), max(-right, 0))
    return cv2.copyMakeBorder(kept, *borders, cv2.BORDER_CONSTANT).reshape(image.shape)
