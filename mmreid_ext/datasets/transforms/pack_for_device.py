"""Pack images whose augmentations run on whole batches, where the model is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from mmcv.transforms import BaseTransform

from mmreid_ext.augmentation.augment import Augment
from mmreid_ext.datasets.packing.packed_image import PackedImage
from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.registry import TRANSFORMS

from .drawn import STEPS, DrawnTransform, seed_of
from .pack_inputs import META_KEYS


@TRANSFORMS.register_module()
class PackForDevice(BaseTransform):
    """End a training pipeline: the images stay as they are, the rest runs batched on the device.

    Worker processes then only read, decode and resize. ``reid_collate`` draws for the whole batch,
    and :class:`mmreid_ext.models.ReIDDataPreprocessor` changes and normalises the images. They are
    the images that the same transforms make one by one before ``PackReIDInputs``, bit for bit on
    a CPU; on other devices a grey level may differ where a blend of colours is rounded.

    Args:
        augments: Transforms of ours that draw, or their settings, in order: ``HorizontalFlip``,
            ``PadCrop``, ``ReIDColorJitter``, ``UniformAspectRandomErasing``.
        meta_keys: Metadata that travel with the image. Defaults to those of our records.

    Raises:
        UserError: If a transform can't run on batches; put that one into the pipeline, before.

    Example:
        >>> pipeline = [
        ...     dict(type='RandomGrayscale', prob=0.1),  # one by one, in the worker
        ...     dict(type='mmreid_ext.PackForDevice', augments=[
        ...         dict(type='mmreid_ext.HorizontalFlip'),
        ...         dict(type='mmreid_ext.PadCrop')])]
    """

    reads_global_generators: ClassVar[bool] = False

    def __init__(
        self,
        augments: Sequence[Mapping[str, Any] | DrawnTransform] = (),
        meta_keys: Sequence[str] = META_KEYS,
    ) -> None:
        self.transforms = [_built(augment) for augment in augments]
        self.augments: tuple[Augment, ...] = tuple(t.augment for t in self.transforms)
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict) -> PackedImage:  # type: ignore[override]
        """Pack ``results['img']``, (H, W, 3) uint8."""
        image = results["img"]
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise UserTypeError(
                f"PackForDevice needs images (H, W, 3) of uint8, got {image.shape} of "
                f"{image.dtype}; end this pipeline by PackReIDInputs."
            )
        return PackedImage(
            image=image,
            facts={key: results[key] for key in self.meta_keys if key in results},
            label=results.get("gt_label"),
            seed=seed_of(results),
            step=results.get(STEPS, 0),
            augments=self.augments,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(augments={self.transforms}, meta_keys={self.meta_keys})"


def _built(augment: Mapping[str, Any] | DrawnTransform) -> DrawnTransform:
    built = TRANSFORMS.build(augment) if isinstance(augment, Mapping) else augment
    if not isinstance(built, DrawnTransform):
        raise UserError(
            f"PackForDevice: augments has {type(built).__name__}, which can't run on batches; "
            "put it into the pipeline before PackForDevice."
        )
    return built
