"""Decide which images are matches of a query: one rule for the whole package.

The readers ask when a set is read, the evaluation when it is scored, the pictures when they are
drawn. Ranking applies :func:`~mmreid_ext.protocols.camera_rule.other_camera` to tensors, pair by
pair; here the pairs are counted by the same rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .image_table import JUNK, ImageColumns
from .protocol import Split

NOBODY = -2
"""Identity that a distractor of the gallery is ranked with: a number that no query has."""


@dataclass(frozen=True)
class Labels:
    """Queries and gallery of one split as they are ranked.

    Args:
        query_pids: Shape (Q,), int64; :data:`JUNK` for queries that take part in nothing.
        gallery_pids: Shape (G,), int64; :data:`JUNK` is left out, :data:`NOBODY` matches nobody.
        query_camids: Shape (Q,), below 0: unknown; or None for no camera rule.
        gallery_camids: Shape (G,), or None.
        query_distractors: Which queries are junk because they are distractors, shape (Q,), or None.
        each_alone: Whether the "cameras" number the images, as in self-retrieval.
    """

    query_pids: np.ndarray
    gallery_pids: np.ndarray
    query_camids: np.ndarray | None = None
    gallery_camids: np.ndarray | None = None
    query_distractors: np.ndarray | None = None
    each_alone: bool = False

    @classmethod
    def of(cls, images: ImageColumns, split: Split) -> Labels:
        """Labels of a split of a table: distractors match nobody, and nobody matches them."""
        rows, columns = split.query, split.gallery
        lone = images.distractors[rows]
        return cls(
            np.where(lone, JUNK, images.pids[rows]),
            np.where(images.distractors[columns], NOBODY, images.pids[columns]),
            split.query_camids,
            split.gallery_camids,
            lone,
            split.each_alone,
        )

    @property
    def has_cameras(self) -> bool:
        """Whether the camera rule applies."""
        return self.query_camids is not None and self.gallery_camids is not None

    def same_identity(self) -> np.ndarray:
        """Return the number of gallery images of the identity of each query, shape (Q,)."""
        return np.where(self.query_pids == JUNK, 0, _count(self.gallery_pids, self.query_pids))

    def removed_unknown(self) -> np.ndarray:
        """Count those removed because the camera of one of the two is unknown, shape (Q,)."""
        if self.query_camids is None or self.gallery_camids is None:
            return np.zeros(len(self.query_pids), dtype=np.int64)
        same = self.same_identity()
        lost = _count(self.gallery_pids[self.gallery_camids < 0], self.query_pids)
        lost = np.where(self.query_pids == JUNK, 0, lost)
        return np.where(self.query_camids < 0, same, lost)

    def removed_same(self) -> np.ndarray:
        """Count those removed because both come from one known camera, shape (Q,)."""
        if self.query_camids is None or self.gallery_camids is None:
            return np.zeros(len(self.query_pids), dtype=np.int64)
        query = np.stack([self.query_pids, self.query_camids], axis=1)
        gallery = np.stack([self.gallery_pids, self.gallery_camids], axis=1)
        _, codes = np.unique(np.concatenate([query, gallery]), axis=0, return_inverse=True)
        codes = codes.reshape(-1)
        both = _count(codes[len(query) :], codes[: len(query)])
        return np.where((self.query_camids < 0) | (self.query_pids == JUNK), 0, both)

    def matches(self) -> np.ndarray:
        """Return the number of matches of each query, shape (Q,)."""
        return self.same_identity() - self.removed_unknown() - self.removed_same()

    def without_match(self) -> np.ndarray:
        """Mask (Q,) of the queries that have nothing to find."""
        return self.matches() <= 0


def _count(haystack: np.ndarray, needles: np.ndarray) -> np.ndarray:
    """Count how often each of ``needles`` occurs in ``haystack``."""
    values, counts = np.unique(haystack, return_counts=True)
    if not len(values):
        return np.zeros(len(needles), dtype=np.int64)
    place = np.minimum(np.searchsorted(values, needles), len(values) - 1)
    return np.where(values[place] == needles, counts[place], 0)
