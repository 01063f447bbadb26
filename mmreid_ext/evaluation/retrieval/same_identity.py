"""Find the pairs of queries and gallery images that share an identity.

Shapes: Q queries, G gallery images, B queries of one chunk, P pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmreid_ext.protocols.camera_rule import other_camera

from .inputs import RetrievalInputs

_SHARES = (1, 2, 4, 8)
"""The number of parts is a multiple of one of these, for as many ranks."""

_FEWEST = 256
"""Queries of a part at least, if only the ranks ask for more parts: products of fewer are slow."""


@dataclass(frozen=True)
class SameIdentity:
    """Pairs of one chunk that share an identity, ordered by row.

    Attributes:
        rows: (P,), row in the chunk.
        cols: (P,), gallery image.
        counts: (P,), whether it is a match (False: the camera rule removes it).
    """

    rows: Tensor
    cols: Tensor
    counts: Tensor


class IdentityIndex:
    """Look up the gallery images of identities; the gallery is sorted once.

    Args:
        inputs: Checked features and labels.
    """

    def __init__(self, inputs: RetrievalInputs):
        self.inputs = inputs
        self.pids, self.order = torch.sort(inputs.gallery_pids, stable=True)

    def chunks(self, rows: int) -> list[Tensor]:
        """Split the queries that have an image of their identity, those of one identity together.

        The parts are equally long, and a multiple of 8 (4, 2) if there are enough queries: 2, 4 or
        8 ranks then have equal shares. The number of ranks itself decides nothing.

        Args:
            rows: Queries of a chunk at most.

        Returns:
            Numbers of queries, (B,) each.
        """
        pids = self.inputs.query_pids
        known = torch.isin(pids, self.pids).nonzero().flatten()
        order = known[torch.argsort(pids[known], stable=True)]
        if not len(order):
            return []
        parts = -(-len(order) // rows)
        shares = max(s for s in _SHARES if s == 1 or len(order) >= s * _FEWEST)
        parts = -(-parts // shares) * shares
        return list(order.tensor_split(parts))

    def pairs(self, chunk: Tensor) -> SameIdentity:
        """Return the pairs of some queries, (B,), with the gallery images of their identities."""
        wanted = self.inputs.query_pids[chunk]
        first = torch.searchsorted(self.pids, wanted)
        times = torch.searchsorted(self.pids, wanted, right=True) - first
        rows = torch.repeat_interleave(torch.arange(len(chunk), device=chunk.device), times)
        offset = torch.arange(len(rows), device=rows.device) - (times.cumsum(0) - times)[rows]
        cols = self.order[first[rows] + offset]
        query_camids, gallery_camids = self.inputs.query_camids, self.inputs.gallery_camids
        if query_camids is None or gallery_camids is None:
            return SameIdentity(rows, cols, torch.ones_like(rows, dtype=torch.bool))
        other = other_camera(query_camids[chunk[rows]], gallery_camids[cols])
        return SameIdentity(rows, cols, other)
