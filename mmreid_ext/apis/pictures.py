"""Tensors as pictures, beside what :mod:`mmreid_ext.pictures.arrays` takes."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.pictures import arrays
from mmreid_ext.pictures.arrays import Region

Picture = arrays.Picture | Tensor

_EXPECTED = arrays.EXPECTED.replace(
    "; a PIL image", "; a tensor (3, H, W) uint8 in RGB order; a PIL image"
)


def is_one_picture(images: Any) -> TypeGuard[Picture]:
    """Tell a single picture from several; :func:`as_bgr` checks it."""
    if isinstance(images, Tensor):
        return images.dim() < 4
    return arrays.is_one_picture(images)


def regions(frame: np.ndarray, boxes: Any) -> list[Region]:
    """Return the boxes of a frame, also those of a tensor; see :func:`.arrays.regions`."""
    return arrays.regions(frame, boxes.detach().cpu() if isinstance(boxes, Tensor) else boxes)


def as_bgr(picture: Any, name: str) -> np.ndarray:
    """Convert a picture to (H, W, 3) uint8 in BGR order; transparent parts become black.

    Args:
        picture: Tensor (C, H, W) in RGB(A) order or grey, or what :func:`.arrays.as_bgr` takes.
        name: What messages call it.

    Raises:
        UserError: If it is no picture, is empty, or has other values than 0 to 255.
    """
    if not isinstance(picture, Tensor):
        return arrays.as_bgr(picture, name, _EXPECTED)
    # NumPy has neither bfloat16 nor tensors without ordinary memory.
    if picture.dtype != torch.uint8 or picture.layout != torch.strided or picture.is_meta:
        raise arrays.unusable(name, picture, _EXPECTED)
    array = picture.detach().cpu()
    if array.dim() == 3:
        if array.shape[0] not in (1, 3, 4):
            raise arrays.unusable(name, picture, _EXPECTED)
        array = array.permute(1, 2, 0)
    return arrays.bgr_of_array(array.numpy(), name, picture, _EXPECTED, arrays.RGB_TO_BGR)
