"""Transforms of the references that MMPretrain lacks; images are (H, W, 3) arrays from MMCV."""

from .color_jitter import ReIDColorJitter
from .pad_crop import PadCrop
from .random_erasing import UniformAspectRandomErasing

__all__ = ["PadCrop", "ReIDColorJitter", "UniformAspectRandomErasing"]
