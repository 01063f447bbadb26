"""Four changes of colour on the host, by OpenCV; images are (H, W, 3) uint8 in BGR or RGB.

They have the meaning of ``torchvision.transforms.functional`` on PIL images. None writes to its
image. :mod:`.color_batch` computes the same for batches on a device.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

# PIL cuts a blended level towards zero; OpenCV rounds it. A whole number, such as the grey of a
# grey pixel, must stay what it is whatever rounding did to its last bit: hence the 1024th.
CUT = 2**-10 - 0.5
GRAY = (299, 587, 114)
"""Thousandths of red, green and blue in grey."""


def adjust_brightness(image: np.ndarray, factor: float, bgr: bool = True) -> np.ndarray:
    """Blend with black: ``factor * x``."""
    return cv2.convertScaleAbs(image, alpha=factor, beta=CUT)


def adjust_contrast(image: np.ndarray, factor: float, bgr: bool = True) -> np.ndarray:
    """Blend with the mean grey ``m`` of the image: ``m + factor * (x - m)``."""
    sums = [int(total) for total in cv2.sumElems(image)[:3]]
    mean = mean_gray(sums[::-1] if bgr else sums, image.shape[0] * image.shape[1])
    return cv2.addWeighted(image, factor, image, 0, mean * (1 - factor) + CUT)


def mean_gray(rgb_sums: list[int], pixels: int) -> int:
    """Round the mean grey of an image whose levels of red, green and blue have these sums."""
    total = sum(weight * one for weight, one in zip(GRAY, rgb_sums, strict=True))
    return (2 * total + 1000 * pixels) // (2000 * pixels)


def adjust_saturation(image: np.ndarray, factor: float, bgr: bool = True) -> np.ndarray:
    """Blend with the grey of each pixel: ``g + factor * (x - g)``."""
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY if bgr else cv2.COLOR_RGB2GRAY)
    gray = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    return cv2.addWeighted(image, factor, gray, 1 - factor, CUT)


def adjust_hue(image: np.ndarray, steps: float, bgr: bool = True) -> np.ndarray:
    """Turn the hue by whole steps, 256 of them a circle; torchvision's are ``int(255 * turns)``.

    The turned image is the exact one, rounded; torchvision's goes through 8-bit HSV. Thirds of the
    circle are permutations of the channels. A smaller turn, up to a sixth, moves each channel x by
    at most ``most = (max - min) * sixths``, and only by what that exceeds ``|x - middle|``: down
    if the next channel is above the one before, else up, and never past ``min`` and ``max``. So
    8 bits are enough, and nothing is divided.
    """
    thirds, rest = hue_turn(steps if bgr else -steps)
    height, width = image.shape[:2]
    channels = np.empty((5, height, width), np.uint8)  # with the first two again behind the third
    cv2.split(image, [channels[(channel - thirds) % 3] for channel in range(3)])
    channels[3:] = channels[:2]
    x, following, before = channels[:3], channels[1:4], channels[2:]
    low, high = np.minimum(x[0], x[1]), np.maximum(x[0], x[1])
    middle = np.maximum(low, np.minimum(high, x[2]))
    np.minimum(low, x[2], out=low)
    np.maximum(high, x[2], out=high)
    most = cv2.convertScaleAbs(high - low, alpha=abs(rest) / 256)
    step = np.maximum(x, middle) - np.minimum(x, middle)
    np.minimum(step, most, out=step)
    np.subtract(most, step, out=step)
    up = np.subtract(high, x)
    np.minimum(up, step, out=up)
    np.add(up, x, out=up)
    down = np.subtract(x, low)
    np.minimum(down, step, out=down)
    np.subtract(x, down, out=down)
    falls = before > following if rest > 0 else following > before
    stacked = (3 * height, width)
    turned = cv2.copyTo(
        down.reshape(stacked), falls.view(np.uint8).reshape(stacked), up.reshape(stacked)
    )
    return cv2.merge(list(turned.reshape(x.shape)))


def hue_turn(steps: float) -> tuple[int, int]:
    """Split a turn into thirds of the circle (0, 1, 2) and 256ths of a sixth in [-256, 256)."""
    thirds, rest = divmod(6 * int(steps) + 256, 512)
    return thirds % 3, rest - 256


OPERATIONS: tuple[Callable[[np.ndarray, float, bool], np.ndarray], ...] = (
    adjust_brightness,
    adjust_contrast,
    adjust_saturation,
    adjust_hue,
)
"""By the number that a draw of :class:`~.color_jitter.ColorJitter` names."""
