"""How one memory budget becomes tile shapes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from mmreid_ext.errors import UserError

CPU_BUDGET = 64 * 2**20
ACCELERATOR_BUDGET = 2**30
_BYTES_PER_CANDIDATE = 64  # index pair, value, key and the search results of one compared score


@dataclass(frozen=True)
class TileShape:
    """Sizes of the pieces in which a product is computed and read.

    Attributes:
        rows: Queries ranked at a time.
        cols: Gallery images in one tile.
        elements: Scores of a tile examined at a time.
    """

    rows: int
    cols: int
    elements: int


def default_budget(device: torch.device, input_bytes: int = 0) -> int:
    """Working memory in bytes when the caller names none.

    On a CPU 64 MiB, or a sixth of the inputs where that is more: products of larger tiles are
    quicker. Elsewhere 1 GiB.
    """
    return max(CPU_BUDGET, input_bytes // 6) if device.type == "cpu" else ACCELERATOR_BUDGET


def tile_shape(budget: int, dim: int, row_bytes: int = 0) -> TileShape:
    """Choose tile sizes that keep the working memory under a budget.

    Half of the budget holds the tile, a quarter the examination of its scores, the rest copies of
    query rows. Sizes never fall under one row, so a tiny budget is slow rather than an error.

    Args:
        budget: Bytes of working memory, over the inputs and the result.
        dim: Length D of a feature.
        row_bytes: What one query needs besides its tile row and its feature.

    Returns:
        The sizes; they depend on nothing else, so every rank uses the same tiles.
    """
    if budget <= 0:
        raise UserError(f"memory_budget={budget} must be a positive number of bytes, or None.")
    rows = min(4096, budget // 2**17, budget // (32 * dim), budget // (4 * max(row_bytes, 1)))
    rows = max(1, rows)
    cols = max(1, budget // (8 * rows))
    elements = max(1, budget // (4 * _BYTES_PER_CANDIDATE))
    return TileShape(rows, cols, elements)
