"""Four changes of colour of a batch on any device, by PyTorch: those of :mod:`.color_host`.

N images, (N, 3, H, W). No image waits for another's operation: one formula does brightness,
contrast and saturation, with coefficients per image; hue is turned by nothing where it isn't asked
for.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .augment import per_image
from .color_host import CUT, GRAY

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)


def change_colors(images: Tensor, operation: Tensor, factor: Tensor, bgr: bool) -> Tensor:
    """Apply to every image the operation that is its own.

    Args:
        images: (N, 3, H, W) float32, whole numbers in [0, 255]. Written to.
        operation: (N,), number of :data:`~.color_host.OPERATIONS`; -1 for none.
        factor: (N,) float32; of hue, whole steps.
        bgr: Whether the channels are blue, green, red.

    Returns:
        (N, 3, H, W) float32, whole numbers in [0, 255].
    """
    blended = _blend(images, operation, factor, bgr)
    return _turn(blended, torch.where(operation == HUE, factor, 0.0), bgr)


def _blend(images: Tensor, operation: Tensor, factor: Tensor, bgr: bool) -> Tensor:
    is_contrast, is_saturation = operation == CONTRAST, operation == SATURATION
    is_blended = (operation == BRIGHTNESS) | is_contrast | is_saturation
    own = torch.where(is_blended, factor, 1.0)
    red, green, blue = images.unbind(1)[:: -1 if bgr else 1]
    # As OpenCV: weights of 15 bits. All sums are below 2**24, exact in float32.
    gray = (red * 9798 + green * 19235 + blue * 3735).add_(2**14).div_(2**15).floor_()
    gray.mul_(torch.where(is_saturation, 1 - factor, 0.0)[:, None, None])
    mean = torch.where(is_contrast, _mean_gray(images, bgr) * (1 - factor), 0.0)
    offset = torch.where(is_blended, mean + CUT, 0.0)
    blended = images.mul_(per_image(own)).add_(gray[:, None]).add_(per_image(offset))
    return blended.round_().clamp_(0, 255)


def _mean_gray(images: Tensor, bgr: bool) -> Tensor:
    """Rounded mean grey (N,), in whole numbers: those of :func:`~.color_host.mean_gray`."""
    red, green, blue = images.sum((2, 3), dtype=torch.int64).unbind(1)[:: -1 if bgr else 1]
    total = red * GRAY[0] + green * GRAY[1] + blue * GRAY[2]
    pixels = images.shape[2] * images.shape[3]
    return torch.div(2 * total + 1000 * pixels, 2000 * pixels, rounding_mode="floor").float()


def _turn(images: Tensor, steps: Tensor, bgr: bool) -> Tensor:
    """Turn hues, see :func:`~.color_host.adjust_hue`."""
    units = 6 * (steps if bgr else -steps) + 256
    thirds = (units / 512).floor()
    rest = units - 512 * thirds - 256
    images = _permuted(images, thirds.long())
    low, high = images.amin(1, keepdim=True), images.amax(1, keepdim=True)
    middle = images.sum(1, keepdim=True) - low - high
    most = ((high - low) * per_image(rest.abs() / 256)).round_()
    step = (most - (images - middle).abs_()).clamp_(min=0)
    falls = images.roll(-1, 1) - images.roll(1, 1)  # the next channel above the one before
    falls = falls * per_image(rest) < 0
    down, up = torch.maximum(images - step, low), torch.minimum(images + step, high)
    return torch.where(falls, down, up)


def _permuted(images: Tensor, shift: Tensor) -> Tensor:
    """Move the channels of each image: channel c comes from ``(c + shift) % 3``."""
    channel = torch.arange(3, device=images.device)
    source = (channel + shift[:, None]) % 3
    return torch.gather(images, 1, source[:, :, None, None].expand_as(images))
