"""From a batch of the loader to the input of the network: augmentations, then normalisation.

N images of H x W pixels.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from mmpretrain.models.utils import ClsDataPreprocessor
from torch import Tensor

from mmreid_ext.augmentation.pending import PendingAugments
from mmreid_ext.distributed import sent_to
from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS


@MODELS.register_module()
class ReIDDataPreprocessor(ClsDataPreprocessor):
    """MMPretrain's preprocessor, which also runs the augmentations of ``PackForDevice``.

    The batch says which they are and what was drawn for each image, so two loaders may augment
    differently. Images travel as uint8. On a device, all images go through one operation at a time,
    and the host doesn't wait. On a CPU, each image goes through all operations while it is in the
    cache. Other batches, those of tests among them, are processed by MMPretrain's class.

    Args: those of MMPretrain's ``ClsDataPreprocessor``.
    """

    @torch.no_grad()
    def forward(self, data: dict, training: bool = False) -> dict:
        """Make the input of the network.

        Args:
            data: ``inputs`` (N, 3, H, W) uint8 and ``data_samples``. They aren't written to.
            training: Whether the network trains.

        Returns:
            ``inputs`` (N, 3, H, W), normalised, and ``data_samples``.

        Raises:
            UserError: If test images have augmentations.
        """
        samples: Any = data.get("data_samples")
        pending = getattr(samples, "pending", None)
        if pending is None:
            return super().forward(data, training)
        if not training:
            raise UserError(
                "ReIDDataPreprocessor: training=False, but the images come with augmentations; end "
                "the pipeline of test images by PackReIDInputs."
            )
        if self._needs_more_than_normalising():
            planes = pending.on_device(data["inputs"], pending.rows).contiguous()
            samples = list(samples.finished())
            return super().forward(dict(inputs=planes, data_samples=samples), training)
        augmented = self._on_host if self.device.type == "cpu" else self._on_device
        return dict(inputs=augmented(data["inputs"], pending), data_samples=samples.finished())

    def _needs_more_than_normalising(self) -> bool:
        return self.pad_size_divisor > 1 or self.to_onehot or self.batch_augments is not None

    def _on_host(self, images: Tensor, pending: PendingAugments) -> Tensor:
        """Take one image after the other through everything."""
        pixels = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
        inputs = torch.empty(images.shape, dtype=self._dtype)
        planes = list(np.empty(images.shape[1:], np.uint8))
        levels = torch.arange(256, dtype=self._dtype).repeat(3, 1, 1)
        tables = self._normalize(levels).numpy()  # what each level of a channel becomes
        for image, finished in zip(pending.on_host(pixels), inputs.numpy(), strict=True):
            cv2.split(image, planes[::-1] if self.to_rgb else planes)
            for plane, table, out in zip(planes, tables, finished, strict=True):
                cv2.LUT(plane, table, out)
        return inputs

    def _on_device(self, images: Tensor, pending: PendingAugments) -> Tensor:
        """Take the batch through one operation after the other."""
        rows = sent_to(self.device, pending.rows)
        images = pending.on_device(sent_to(self.device, images), rows)
        images = images.flip(1) if self.to_rgb else images
        inputs = images.to(self._dtype, memory_format=torch.contiguous_format)
        return self._normalize(inputs)

    @property
    def _dtype(self) -> torch.dtype:
        """That of the inputs: float32, float64 for a model of float64."""
        mean: Any = getattr(self, "mean", None)
        return torch.float32 if mean is None else torch.promote_types(torch.float32, mean.dtype)

    def _normalize(self, inputs: Tensor) -> Tensor:
        """Normalise (..., 3, H, W) in place, by the operations of MMPretrain."""
        return inputs.sub_(self.mean).div_(self.std) if self._enable_normalize else inputs
