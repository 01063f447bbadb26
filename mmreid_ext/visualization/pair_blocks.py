"""Distances between queries and gallery, a few queries at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_BLOCK_ELEMENTS = 8_000_000
"""Pairs held at once: 32 MB of distances, and about twice that of masks and comparisons."""

DISTANCES = {"cosine": "cosine distance", "euclidean": "Euclidean distance"}


@dataclass(frozen=True)
class RetrievalArrays:
    """Queries and gallery as checked tensors; build it with :meth:`of`.

    Attributes:
        query_feats: Shape (Q, D), float32; L2-normalised for the cosine distance.
        gallery_feats: Shape (G, D), likewise.
        query_pids: Shape (Q,), int64; likewise the three below. Cameras may be None.
        distance: ``'cosine'`` or ``'euclidean'``.
    """

    query_feats: Tensor
    gallery_feats: Tensor
    query_pids: Tensor
    gallery_pids: Tensor
    query_camids: Tensor | None
    gallery_camids: Tensor | None
    distance: str

    @classmethod
    def of(
        cls,
        query_feats: Tensor | np.ndarray,
        gallery_feats: Tensor | np.ndarray,
        query_pids: Tensor | np.ndarray,
        gallery_pids: Tensor | np.ndarray,
        query_camids: Tensor | np.ndarray | None = None,
        gallery_camids: Tensor | np.ndarray | None = None,
        distance: str = "cosine",
    ) -> RetrievalArrays:
        """Check and convert the arrays of :func:`~mmreid_ext.evaluation.evaluate_retrieval`.

        Raises:
            ValueError: If shapes don't correspond, only one side has cameras, a side is empty, a
                feature isn't finite or the distance is unknown.
        """
        if distance not in DISTANCES:
            raise ValueError(f"distance must be one of {sorted(DISTANCES)}, got {distance!r}.")
        if (query_camids is None) != (gallery_camids is None):
            raise ValueError("Give query_camids and gallery_camids both, or neither of them.")
        feats = []
        for side, values in (("query", query_feats), ("gallery", gallery_feats)):
            values = torch.as_tensor(values).detach().float()
            if values.dim() != 2 or not len(values):
                raise ValueError(
                    f"{side}_feats must have shape (N, D), N > 0, got {tuple(values.shape)}."
                )
            if not torch.isfinite(values).all():
                raise ValueError(f"{side}_feats contain NaN or infinity: their order is undefined.")
            feats.append(F.normalize(values, dim=1) if distance == "cosine" else values)
        if feats[0].shape[1] != feats[1].shape[1]:
            raise ValueError(
                f"query_feats have {feats[0].shape[1]} dimensions, gallery_feats "
                f"{feats[1].shape[1]}."
            )
        device, sizes = feats[0].device, [len(feats[0]), len(feats[1])]
        labels = {
            "query_pids": (query_pids, sizes[0]),
            "gallery_pids": (gallery_pids, sizes[1]),
            "query_camids": (query_camids, sizes[0]),
            "gallery_camids": (gallery_camids, sizes[1]),
        }
        checked = {name: _labels(name, *entry, device) for name, entry in labels.items()}
        return cls(*feats, **checked, distance=distance)

    def removed(self, rows: Tensor) -> Tensor:
        """Gallery images that the protocol takes out of these queries' lists, shape (B, G)."""
        removed = (self.gallery_pids == -1).expand(len(rows), -1)
        if self.query_camids is None or self.gallery_camids is None:
            return removed
        return removed | (
            self._same_pid(rows) & (self.query_camids[rows][:, None] == self.gallery_camids)
        )

    def matches(self, rows: Tensor) -> Tensor:
        """Gallery images that count as true matches of these queries, shape (B, G)."""
        return self._same_pid(rows) & ~self.removed(rows)

    def distances(self, rows: Tensor) -> Tensor:
        """Distances of these queries to the whole gallery, shape (B, G), float32."""
        if self.distance == "cosine":
            return 1.0 - self.query_feats[rows] @ self.gallery_feats.T
        return torch.cdist(self.query_feats[rows], self.gallery_feats)

    def blocks(self, rows: np.ndarray | None = None) -> Iterator[Tensor]:
        """Split query rows (all by default) so that a block of pairs fits into little memory."""
        chosen = np.arange(len(self.query_pids)) if rows is None else np.asarray(rows)
        size = max(1, _BLOCK_ELEMENTS // len(self.gallery_pids))
        yield from torch.as_tensor(chosen, device=self.query_pids.device).split(size)

    def _same_pid(self, rows: Tensor) -> Tensor:
        return self.query_pids[rows][:, None] == self.gallery_pids


def _labels(
    name: str, values: Tensor | np.ndarray | None, size: int, device: torch.device
) -> Tensor | None:
    if values is None:
        return None
    values = torch.as_tensor(np.asarray(values)).to(device)
    if values.shape != (size,) or values.is_floating_point():
        raise ValueError(
            f"{name} must be {size} integers, one per embedding; got shape {tuple(values.shape)} "
            f"and {values.dtype}."
        )
    return values.long()
