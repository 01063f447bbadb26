"""Compare queries with the gallery for pictures, a few queries at a time.

Shapes: Q queries, G gallery images, G' of them without junk, D numbers per feature, B queries of
one block, N chosen queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.full_precision import full_precision
from mmreid_ext.evaluation.retrieval.inputs import RetrievalInputs
from mmreid_ext.evaluation.retrieval.re_ranking import RerankedSimilarity
from mmreid_ext.evaluation.retrieval.similarity import FeatureSimilarity
from mmreid_ext.protocols import JUNK
from mmreid_ext.protocols.camera_rule import other_camera

from .arrays import as_numpy

DISTANCES = {"cosine": "cosine distance", "euclidean": "Euclidean distance"}

_BLOCK_PAIRS = 4_000_000
"""Pairs held at once: 32 MB of float64 scores and about as much of masks."""

_GALLERY_TILE = 4096
"""Gallery rows converted to float64 at once."""

_NO_LENGTH = 1e-6
"""Greatest distance that is shown where all embeddings are zero: an axis needs a length."""


class PairBlocks:
    """Compare queries with the gallery by the evaluator's own checks and scores.

    Args:
        query_feats: Shape (Q, D); these and the following as for
            :func:`~mmreid_ext.evaluation.evaluate_retrieval`.
        gallery_feats: Shape (G, D).
        query_pids: Shape (Q,).
        gallery_pids: Shape (G,).
        query_camids: Shape (Q,) or None.
        gallery_camids: Shape (G,) or None.
        distance: ``'cosine'`` or ``'euclidean'``.

    Attributes:
        inputs: Checked features and labels, junk left out of the gallery.
        similarity: Scores by the distance of the embeddings.
        gallery_rows: Row of each remaining gallery image in what was given, shape (G',).

    Raises:
        TypeError: For features that aren't floating or labels that aren't integers.
        ValueError: For shapes that don't fit, an empty side, NaN or an unknown distance.
    """

    def __init__(
        self,
        query_feats: Tensor | np.ndarray,
        gallery_feats: Tensor | np.ndarray,
        query_pids: Tensor | np.ndarray,
        gallery_pids: Tensor | np.ndarray,
        query_camids: Tensor | np.ndarray | None = None,
        gallery_camids: Tensor | np.ndarray | None = None,
        *,
        distance: str = "cosine",
    ) -> None:
        if distance not in DISTANCES:
            raise UserError(f"distance={distance!r} is unknown; use one of {sorted(DISTANCES)}.")
        self.inputs = RetrievalInputs.check(
            query_feats, gallery_feats, query_pids, gallery_pids, query_camids, gallery_camids
        )
        for side, feats in (("queries", self.inputs.query), ("gallery", self.inputs.gallery)):
            if not len(feats):
                raise UserError(
                    f"The {side} are empty: there is nothing to draw.{_junk(gallery_pids)}"
                )
        self.gallery_rows = np.flatnonzero(as_numpy(gallery_pids) != JUNK)
        self.distance = distance
        with full_precision(self.inputs.gallery.device):
            self.similarity = FeatureSimilarity(
                self.inputs.query, self.inputs.gallery, distance, self.inputs.gallery_rows
            )

    @property
    def max_distance(self) -> float:
        """The greatest distance that a pair can have."""
        return 2.0 if self.distance == "cosine" else max(self.similarity.longest, _NO_LENGTH)

    def split(self, rows: np.ndarray | None = None) -> Iterator[Tensor]:
        """Split query rows (all by default) so that a block of pairs fits into little memory."""
        chosen = np.arange(len(self.inputs.query)) if rows is None else np.asarray(rows)
        size = max(1, _BLOCK_PAIRS // len(self.inputs.gallery))
        yield from torch.as_tensor(chosen, device=self.inputs.query.device).split(size)

    def scores(
        self,
        rows: Tensor,
        similarity: FeatureSimilarity | RerankedSimilarity | None = None,
        *,
        exact: bool = True,
    ) -> Tensor:
        """Return the evaluator's scores of some queries, shape (B, G'); greater is nearer.

        Args:
            rows: Query rows, shape (B,).
            similarity: That of the features by default.
            exact: Whether to compute in float64, as ranks are counted. Otherwise in float32, which
                is several times faster, if there are more than a few pairs.
        """
        similarity = self.similarity if similarity is None else similarity
        with full_precision(rows.device):
            scorer = similarity.rows(rows)
        tile = scorer.double_tile if exact or similarity.is_little else scorer.tile
        size = len(self.inputs.gallery)
        starts = range(0, size, _GALLERY_TILE)
        # the next tile overwrites a float32 tile
        with full_precision(rows.device):
            tiles = [tile(start, min(start + _GALLERY_TILE, size)).clone() for start in starts]
        return torch.cat(tiles, dim=1)

    def to_distance(self, scores: Tensor) -> Tensor:
        """Return scores as distances in the units of the features."""
        if self.distance == "cosine":
            return (1.0 - scores).clamp_min(0.0)
        return scores.neg().clamp_min(0.0).sqrt() * self.similarity.longest

    def same_identity(self, rows: Tensor) -> Tensor:
        """Return gallery images of the identity of these queries, shape (B, G')."""
        return self.inputs.query_pids[rows][:, None] == self.inputs.gallery_pids

    def removed(self, rows: Tensor) -> Tensor:
        """Return gallery images that the camera rule removes from these queries' lists, (B, G')."""
        same = self.same_identity(rows)
        if self.inputs.query_camids is None or self.inputs.gallery_camids is None:
            return torch.zeros_like(same)
        camids = self.inputs.query_camids[rows][:, None]
        return same & ~other_camera(camids, self.inputs.gallery_camids)

    def matches(self, rows: Tensor) -> Tensor:
        """Return gallery images that count as matches of these queries, shape (B, G')."""
        return self.same_identity(rows) & ~self.removed(rows)

    def count(self, mask: Callable[[Tensor], Tensor], chosen: np.ndarray) -> np.ndarray:
        """Return gallery images of each chosen query that a mask picks, shape (N,)."""
        return torch.cat([mask(rows).sum(dim=1) for rows in self.split(chosen)]).cpu().numpy()


def _junk(gallery_pids: Tensor | np.ndarray) -> str:
    """Say why a gallery that was given has nothing left; empty if none was given."""
    number = len(gallery_pids)
    return f" All {number} gallery images are junk (identity {JUNK})." if number else ""
