"""VehicleID's protocol: one random image per identity is the gallery, all others are queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmreid_ext.protocols.image_table import JUNK, ImageColumns
from mmreid_ext.protocols.protocol import EvaluationProtocol, Split
from mmreid_ext.protocols.sampling import check_trials, one_per_identity, stable_generator


@dataclass(frozen=True)
class RandomGalleryProtocol(EvaluationProtocol):
    """One random image of every identity is the gallery, all its other images are queries.

    Roles and cameras are ignored. An identity of one image is in the gallery and has no query;
    distractors are always in the gallery. Every query has one match, so its AP is its reciprocal
    rank.

    Liu et al., "Deep Relative Distance Learning: Tell the Difference Between Similar Vehicles",
    CVPR 2016, https://doi.org/10.1109/CVPR.2016.238

    Args:
        repeats: Number of galleries sampled, 1 to 10,000. Defaults to 10, as published.
        seed: The same seed gives the same galleries, whatever ran before.
        ranks: The k of the reported R@k.
    """

    repeats: int = 10
    seed: int = 0
    ranks: tuple[int, ...] = (1, 5, 10, 20)
    random = True

    def splits(self, images: ImageColumns) -> Iterator[Split]:
        """Yield ``repeats`` trials of one split each."""
        rows = np.flatnonzero(images.pids != JUNK)
        generator = stable_generator(self.seed)
        for trial in range(self.repeats):
            gallery = one_per_identity(rows, images, generator)
            yield Split(np.setdiff1d(rows, gallery), gallery, trial)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_trials(type(self).__name__, self.repeats, self.seed)
