"""Transforms of the references that MMPretrain lacks; images are (H, W, 3) arrays from MMCV."""

from .color_jitter import ReIDColorJitter
from .horizontal_flip import HorizontalFlip
from .load_resized import LoadResized
from .pack_for_device import PackForDevice
from .pack_inputs import PackReIDInputs
from .pad_crop import PadCrop
from .random_erasing import UniformAspectRandomErasing

__all__ = [
    "HorizontalFlip",
    "LoadResized",
    "PackForDevice",
    "PackReIDInputs",
    "PadCrop",
    "ReIDColorJitter",
    "UniformAspectRandomErasing",
]
