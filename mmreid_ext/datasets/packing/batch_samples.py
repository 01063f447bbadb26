"""Data samples of a training batch as columns; N is their number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmreid_ext.augmentation.pending import PendingAugments


@dataclass(frozen=True)
class BatchSamples:
    """Labels and metadata of N images, and the augmentations that their images still lack.

    To pack 96 data samples takes longer than to resize their images. The losses read labels and
    domains only, so a data sample is made when somebody asks for it. It isn't a ``Sequence`` by
    inheritance: PyTorch would take that apart to pin the memory of its items.

    Args:
        facts: Metadata, one dict per image.
        labels: Class labels (N,) int64, None without.
        pending: Augmentations that :class:`mmreid_ext.models.ReIDDataPreprocessor` still has to
            run. None: the images are what they should be.
    """

    facts: list[dict[str, Any]]
    labels: Tensor | None
    pending: PendingAugments | None = None

    def __len__(self) -> int:
        return len(self.facts)

    def __getitem__(self, index: int) -> DataSample:
        sample = DataSample(metainfo=self.facts[index])
        return sample if self.labels is None else sample.set_gt_label(self.labels[[index]])

    def __iter__(self) -> Iterator[DataSample]:
        return (self[index] for index in range(len(self)))

    @property
    def domains(self) -> list[int]:
        """Domain of each image, 0 if it has none."""
        return [int(fact.get("domain", 0)) for fact in self.facts]

    def take(self, rows: Sequence[int]) -> BatchSamples:
        """Return the samples of some rows of a batch whose augmentations have run."""
        labels = None if self.labels is None else self.labels[torch.as_tensor(rows)]
        return BatchSamples([self.facts[row] for row in rows], labels)

    def finished(self) -> BatchSamples:
        """Return the same without pending augmentations."""
        return replace(self, pending=None)

    def pin_memory(self) -> BatchSamples:
        """Pin what is sent to a device; PyTorch's loaders call this."""
        labels = None if self.labels is None else self.labels.pin_memory()
        pending = None if self.pending is None else self.pending.pinned()
        return BatchSamples(self.facts, labels, pending)
