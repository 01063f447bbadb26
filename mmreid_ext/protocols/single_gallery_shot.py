"""CUHK03's first protocol: one random gallery image per identity, repeated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .camera_rule import other_camera
from .image_table import ImageColumns
from .protocol import CameraProtocol, EvaluationProtocol, Split, rows_of_role
from .sampling import check_trials, one_per_identity, stable_generator


@dataclass(frozen=True)
class SingleGalleryShotProtocol(EvaluationProtocol):
    """CUHK03's first protocol: one random gallery image per identity, repeated.

    For every repeat and every query camera, one image of each identity is sampled from its gallery
    images of other known cameras. A query's AP is the mean over repeats.

    Li et al., "DeepReID", CVPR 2014. Torchreid samples per query, and lets other identities
    appear in the query's camera. The paper's gallery is the other camera alone, and so is this one.

    Args:
        repeats: Number of galleries sampled, 1 to 10,000. Defaults to 100.
        seed: The same seed gives the same galleries, whatever ran before.
        ranks: The k of the reported R@k.
    """

    repeats: int = 100
    seed: int = 0
    ranks: tuple[int, ...] = (1, 5, 10, 20)
    random = True

    def splits(self, images: ImageColumns) -> Iterator[Split]:
        """Yield ``repeats`` trials, each of one split per query camera."""
        query, gallery = rows_of_role(images, "query"), rows_of_role(images, "gallery")
        generator = stable_generator(self.seed)
        for trial in range(self.repeats):
            for camera in np.unique(images.camids[query]):
                is_other = other_camera(camera, images.camids[gallery])
                chosen = one_per_identity(gallery[is_other], images, generator)
                yield Split(query[images.camids[query] == camera], chosen, trial)

    def matching_split(self, images: ImageColumns) -> Split:
        """Return all pairs that galleries are sampled from: a query matches in each or in none."""
        return next(CameraProtocol().splits(images))

    def __post_init__(self) -> None:
        super().__post_init__()
        check_trials(type(self).__name__, self.repeats, self.seed)
