"""What every evaluation starts from: embeddings and, row by row, what they show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.errors import UserError

ROLES = ("query", "gallery")


@dataclass
class EmbeddingSet:
    """Embeddings of the images of one or several test sets.

    Args:
        feats: Shape (N, D), float32, on the CPU.
        pids: Identities, shape (N,), int64.
        camids: Cameras, shape (N,), int64.
        roles: ``'query'`` or ``'gallery'``, shape (N,), strings.
        datasets: Name of the test set, shape (N,), strings.
        names: Image path, shape (N,), strings. Empty strings where unknown.

    Raises:
        ValueError: If the rows don't correspond, labels aren't integers, a role is another word or
            an embedding isn't finite.
    """

    feats: Tensor
    pids: np.ndarray
    camids: np.ndarray
    roles: np.ndarray
    datasets: np.ndarray
    names: np.ndarray

    def __post_init__(self) -> None:
        self.feats = torch.as_tensor(self.feats).detach().to("cpu", torch.float32)
        if self.feats.dim() != 2:
            raise UserError(f"feats must have shape (N, D), got {tuple(self.feats.shape)}.")
        for field in ("pids", "camids"):
            values = np.asarray(getattr(self, field))
            if values.size and not np.issubdtype(values.dtype, np.integer):
                raise UserError(f"{field} must be integers, got {values.dtype}.")
            setattr(self, field, values.astype(np.int64))
        for field in ("roles", "datasets", "names"):
            setattr(self, field, np.asarray(getattr(self, field), dtype=np.str_))
        for field in ("pids", "camids", "roles", "datasets", "names"):
            shape = getattr(self, field).shape
            if shape != (len(self.feats),):
                raise UserError(
                    f"{field} must have one entry per embedding, shape ({len(self.feats)},), got "
                    f"{shape}."
                )
        unknown = set(self.roles.tolist()) - set(ROLES)
        if unknown:
            raise UserError(f"roles must be 'query' or 'gallery', got {sorted(unknown)[:5]}.")
        self._check_finite()

    def _check_finite(self) -> None:
        bad = (~torch.isfinite(self.feats).all(dim=1)).nonzero().flatten().tolist()
        if bad:
            rows = ", ".join(str(self.names[i]) or f"row {i}" for i in bad[:5])
            raise UserError(
                f"{len(bad)} of {len(self.feats)} embeddings contain NaN or infinity (first: "
                f"{rows}). "
                "The model diverged or overflowed: check the checkpoint, or test without reduced "
                "precision."
            )

    def __len__(self) -> int:
        return len(self.feats)

    def take(self, rows: np.ndarray) -> EmbeddingSet:
        """The given rows (integer indices or a boolean mask), in the given order."""
        rows = np.asarray(rows)
        picked = rows.nonzero()[0] if rows.dtype == bool else rows.astype(np.int64)
        if np.array_equal(picked, np.arange(len(self))):
            return self  # the features may be large: no copy where nothing changes
        arrays = (self.pids, self.camids, self.roles, self.datasets, self.names)
        return EmbeddingSet(self.feats[torch.from_numpy(picked)], *(a[picked] for a in arrays))

    @property
    def title(self) -> str:
        """Names of the test sets, for messages."""
        return ", ".join(self.set_names()) or "(empty)"

    def set_names(self) -> list[str]:
        """Names of the test sets, in order of first appearance."""
        return list(dict.fromkeys(self.datasets.tolist()))

    def by_dataset(self) -> Iterator[tuple[str, EmbeddingSet]]:
        """Yield every test set under its name, in order of first appearance."""
        for name in self.set_names():
            yield name, self.take(self.datasets == name)
