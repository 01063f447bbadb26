"""Transforms of the references that MMPretrain does not have; images are (H, W, 3) arrays as MMCV loads them."""

from .color_jitter import ReIDColorJitter
from .pad_crop import PadCrop
from .random_erasing import UniformAspectRandomErasing

__all__ = ["PadCrop", "ReIDColorJitter", "UniformAspectRandomErasing"]
