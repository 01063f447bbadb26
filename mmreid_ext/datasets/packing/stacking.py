"""Make a batch of images whose augmentations haven't run yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.augmentation.pending import PendingAugments
from mmreid_ext.errors import UserError

from .batch_samples import BatchSamples
from .packed_image import PackedImage


def stack_packed(images: Sequence[PackedImage]) -> dict[str, Any]:
    """Stack N images of H x W pixels and draw for all of them at once.

    Returns:
        ``inputs`` (N, 3, H, W) uint8, in memory (N, H, W, 3): they are copied as they lie.
        ``data_samples``: a :class:`.batch_samples.BatchSamples` with the pending augmentations.

    Raises:
        UserError: If sizes or augmentations differ.
    """
    first = images[0]
    sizes = {image.image.shape for image in images}
    if len(sizes) > 1:
        raise UserError(
            f"reid_collate: images of one batch have the sizes {sorted(sizes)}; resize them all to "
            "one size in the pipeline."
        )
    if any(image.augments != first.augments for image in images):
        raise UserError(
            "reid_collate: images of one batch come from pipelines with other augments of "
            "PackForDevice; put what differs into the pipelines before it."
        )
    pending = PendingAugments.drawn(
        first.augments,
        np.array([image.seed for image in images], np.uint64),
        np.array([image.step for image in images]),
        *first.image.shape[:2],
    )
    samples = BatchSamples([image.facts for image in images], _labels(images), pending)
    stacked = torch.from_numpy(np.stack([image.image for image in images]))
    return dict(inputs=stacked.permute(0, 3, 1, 2), data_samples=samples)


def _labels(images: Sequence[PackedImage]) -> Tensor | None:
    labels = [image.label for image in images]
    return None if None in labels else torch.tensor(labels, dtype=torch.int64)
