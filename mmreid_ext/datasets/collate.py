"""Batches that are cheap to hand over from a worker process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from mmengine.dataset import default_collate
from mmpretrain.structures import DataSample

from mmreid_ext.registry import FUNCTIONS

from .packing.packed_image import PackedImage
from .packing.stacking import stack_packed


@FUNCTIONS.register_module()
def reid_collate(data_batch: Sequence[dict | PackedImage]) -> dict[str, Any]:
    """Stack the images, list the data samples.

    Args:
        data_batch: Dicts with ``inputs`` (3, H, W), all of one size, and ``data_samples``; or what
            ``PackForDevice`` makes, see :func:`.packing.stacking.stack_packed`.

    Returns:
        ``inputs`` (N, 3, H, W), one tensor for one copy to the device, and ``data_samples``.
    """
    if isinstance(data_batch[0], PackedImage):
        return stack_packed(cast("Sequence[PackedImage]", data_batch))
    batch = default_collate(data_batch)
    if "data_samples" in batch:
        batch["data_samples"] = SampleList(batch["data_samples"])
    return batch


class SampleList(list):
    """Data samples that travel between processes as plain values.

    Each label of a ``DataSample`` is a tensor, and a tensor between processes is a file of shared
    memory: for a batch of 96 that costs more than the images.
    """

    def __reduce__(self) -> tuple[Any, tuple]:
        if not all(type(s) is DataSample and set(s.keys()) <= {"gt_label"} for s in self):
            return list, (list(self),)
        return _rebuild, ([(s.metainfo, _label(s)) for s in self],)

    def __copy__(self) -> SampleList:
        return SampleList(self)


def _label(sample: DataSample) -> list[int] | None:
    return sample.gt_label.tolist() if "gt_label" in sample else None


def _rebuild(plain: list[tuple[dict, list[int] | None]]) -> SampleList:
    samples = SampleList(DataSample(metainfo=metainfo) for metainfo, _ in plain)
    for sample, (_, label) in zip(samples, plain, strict=True):
        if label is not None:
            sample.set_gt_label(label)
    return samples
