"""Turn one memory budget into the shapes of tiles.

Shapes: Q queries, G gallery images, D numbers per feature.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from mmreid_ext.errors import UserError

CPU_BUDGET = 64 * 2**20
LARGEST_CPU_BUDGET = 4 * CPU_BUDGET
"""Above, tiles get no quicker; features on disk are larger than the memory."""

ACCELERATOR_BUDGET = 2**30
RERANK_FACTOR = 4
"""Re-ranking gets more: 256 MiB hold the search for neighbours in tiles of 4,096 x 4,096."""

MAX_ROWS = 4096
"""Queries ranked at a time at most; the keys of ``rank_counting`` are exact enough for these."""

_INPUT_SHARE = 6  # larger products are quicker, and a sixth of the inputs is little beside them
_FLOAT32, _FLOAT64 = 4, 8  # bytes
_BYTES_PER_ROW = 2**17  # a tile is at least 2**17 / 8 = 16,384 columns wide
_CPU_BYTES_PER_ROW = 2**16  # 1,024 queries with 64 MiB: the tile is small, so that most fits
_CPU_COLS = 2048
"""Columns of a tile at most on a CPU.

A tile of 1,024 x 2,048 scores is 8 MiB. The product takes 62 ns a score in such tiles and 69 in
tiles of 976 x 16,384 (2,048-d, two threads), and what reads the scores finds them in the cache.
"""

# index pair (16), value (4), key (8), two search results (16), and copies of the undecided
_BYTES_PER_CANDIDATE = 64


@dataclass(frozen=True)
class TileShape:
    """Sizes of the pieces in which a product is computed and read.

    Attributes:
        rows: Queries ranked at a time.
        cols: Gallery images in one float32 tile.
        elements: Scores of a tile examined at a time.
    """

    rows: int
    cols: int
    elements: int

    @property
    def double_cols(self) -> int:
        """Gallery images in a float64 tile, which takes twice the bytes."""
        return max(1, self.cols // 2)


def default_budget(device: torch.device, input_bytes: int = 0) -> int:
    """Choose the working memory, in bytes, where the caller names none.

    On a CPU 64 MiB, or a sixth of the inputs if that is more, at most 256 MiB. Elsewhere 1 GiB.
    """
    if device.type != "cpu":
        return ACCELERATOR_BUDGET
    return min(max(CPU_BUDGET, input_bytes // _INPUT_SHARE), LARGEST_CPU_BUDGET)


def tile_shape(
    budget: int, dim: int, row_bytes: int = 0, device: torch.device | None = None
) -> TileShape:
    """Choose tile sizes that keep the working memory under a budget.

    Half of the budget holds the tile. A quarter holds the examination of its scores, a quarter
    copies of query rows. No size falls below one row, so a tiny budget is slow, not an error.

    Args:
        budget: Bytes of working memory, besides the inputs and the result.
        dim: Length D of a feature.
        row_bytes: Bytes that one query needs besides its tile row and its feature.
        device: Where the product is computed. None: on a CPU.

    Returns:
        The sizes. They depend on the arguments alone, so every rank uses the same tiles.

    Raises:
        ValueError: If the budget is not positive.
    """
    if budget <= 0:
        raise UserError(
            f"memory_budget={budget} must be a positive number of bytes, or None for the default."
        )
    feature_bytes = _FLOAT64 * dim
    on_cpu = device is None or device.type == "cpu"
    rows = min(
        MAX_ROWS,
        budget // (_CPU_BYTES_PER_ROW if on_cpu else _BYTES_PER_ROW),
        budget // 4 // feature_bytes,
        budget // 4 // max(row_bytes, 1),
    )
    rows = max(1, rows)
    cols = max(1, budget // 2 // (_FLOAT32 * rows))
    if on_cpu:
        cols = min(cols, _CPU_COLS)
    elements = max(1, budget // 4 // _BYTES_PER_CANDIDATE)
    return TileShape(rows, cols, elements)
