"""The input of every evaluation: embeddings and, row by row, what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.from_disk.disk_features import DiskFeatures, in_memory
from mmreid_ext.evaluation.retrieval.inputs import as_features
from mmreid_ext.protocols import Split
from mmreid_ext.protocols.image_table import ImageColumns
from mmreid_ext.shorten import shorten

_ROWS_AT_ONCE = 4096
"""Rows that are checked at a time."""


@dataclass
class EmbeddingSet(ImageColumns):
    """Embeddings of the images of one or several test sets.

    Args:
        feats: Shape (N, D), any floating type; held as float32 on the CPU. float32 is not copied,
            and nothing writes into it. Or :class:`.from_disk.disk_features.DiskFeatures`, which are
            read when they are needed.
        pids: Identities, shape (N,), int64.
        camids: Cameras, shape (N,), int64.
        roles: ``'query'`` or ``'gallery'``, shape (N,), strings.
        datasets: Name of the test set, shape (N,), strings.
        names: Image path, shape (N,), strings. Empty strings where unknown.
        distractors: Whether the image shows "nobody of the queries", shape (N,), bool. None: none
            does.

    Raises:
        ValueError: If the rows don't correspond, labels aren't integers, a role is another word or
            an embedding isn't finite.
    """

    feats: Any  # Tensor, or DiskFeatures, which read like one
    pids: np.ndarray
    camids: np.ndarray
    roles: np.ndarray
    datasets: np.ndarray
    names: np.ndarray
    # check_columns puts an array in the place of None.
    distractors: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        kinds = (Tensor, DiskFeatures)
        feats = self.feats if isinstance(self.feats, kinds) else np.asarray(self.feats)
        if isinstance(feats, np.ndarray) and feats.dtype.kind in "iu":
            feats = feats.astype(np.float32)
        self.feats = as_features(feats, "feats").to("cpu", torch.float32)
        self.check_columns(len(self.feats), "embedding")
        self._check_finite()

    def _check_finite(self) -> None:
        finite = torch.ones(len(self.feats), dtype=torch.bool)
        # One mask for all: small ones between large blocks would leave holes in the memory.
        for start, part in enumerate(self.feats.split(_ROWS_AT_ONCE)):
            where = slice(start * _ROWS_AT_ONCE, (start + 1) * _ROWS_AT_ONCE)
            finite[where] = torch.isfinite(part).all(dim=1)
        bad = (~finite).nonzero().flatten().tolist()
        if bad:
            rows = shorten(str(self.names[i]) or f"row {i}" for i in bad)
            raise UserError(
                f"{len(bad)} of {len(self.feats)} embeddings contain NaN or infinity (first: "
                f"{rows}). The model diverged or overflowed: check the checkpoint, or test without "
                "reduced precision."
            )

    def __len__(self) -> int:
        return len(self.feats)

    def take(self, rows: np.ndarray | Sequence[int]) -> EmbeddingSet:
        """Pick rows (integer indices or a boolean mask), in the given order."""
        rows = np.asarray(rows)
        picked = rows.nonzero()[0] if rows.dtype == bool else rows.astype(np.int64)
        if np.array_equal(picked, np.arange(len(self))):
            return self
        arrays = (self.pids, self.camids, self.roles, self.datasets, self.names, self.distractors)
        return EmbeddingSet(self.features(picked), *(a[picked] for a in arrays))

    def features(self, rows: np.ndarray) -> Any:
        """Pick features by row indices (R,), shape (R, D); neighbouring rows without a copy.

        Features on disk are chosen, and not read.
        """
        if isinstance(self.feats, DiskFeatures):
            return self.feats.take(rows)
        first = int(rows[0]) if len(rows) else -1
        if first >= 0 and np.array_equal(rows, np.arange(first, first + len(rows))):
            return self.feats[first : first + len(rows)]
        return self.feats[torch.from_numpy(rows)]

    def query_features(self, split: Split, distance: str = "cosine") -> Any:
        """Return the feature of every query, shape (Q, D); pooled queries are means.

        Args:
            split: The queries, and the images that are pooled into each.
            distance: For ``'cosine'`` the embeddings are L2-normalised before they are averaged, so
                that a long one counts no more than others.
        """
        if split.pools is None:
            return self.features(split.query)
        means = torch.empty(len(split.pools), self.feats.shape[1])
        for place, rows in enumerate(split.pools):
            # in float64: so the order of the pictures leaves no trace
            feats = in_memory(self.features(rows)).double()
            means[place] = (normalize(feats) if distance == "cosine" else feats).mean(dim=0)
        return means
