"""Count what is in a built data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmreid_ext.datasets.record_dataset import RecordDataset
from mmreid_ext.shorten import several


@dataclass(frozen=True)
class SetCounts:
    """How much there is of what in a data set.

    Args:
        name: Name of the set.
        images: Number of images.
        people: Number of identities, distractors not counted.
        cameras: Number of known cameras.
        sources: Number of data sets that it was made of.
    """

    name: str
    images: int
    people: int
    cameras: int
    sources: int = 1

    @property
    def line(self) -> str:
        """The counts in a few words."""
        name = self.name if self.sources == 1 else f"{self.sources} sets"
        cameras = several(self.cameras, "camera") if self.cameras else "cameras unknown"
        people = several(self.people, "person").replace("persons", "people")
        return f"{name}: {several(self.images, 'image')}, {people}, {cameras}"


def count_set(dataset: RecordDataset) -> SetCounts:
    """Count images, identities and cameras of a data set; those of combined sets are added."""
    dataset.full_init()
    parts = getattr(dataset, "sources", [dataset])
    cameras = sum(len(np.unique(part.camids[part.camids >= 0])) for part in parts)
    return SetCounts(dataset.name, len(dataset), dataset.num_classes, cameras, len(parts))
