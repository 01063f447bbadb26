"""Position embeddings of images that aren't square, at another size than they were trained for."""

from __future__ import annotations

import math
from typing import Any

from mmengine.logging import print_log
from mmpretrain.models.utils import resize_pos_embed
from torch import Tensor, nn

_NAME = "pos_embed"


def resize_loaded(backbone: nn.Module, state: dict[str, Any], prefix: str) -> None:
    """Resize position embeddings in a state dictionary to the grid of a backbone.

    MMPretrain takes the grid of a checkpoint for a square, 11 x 11 where it is 16 x 8. A number of
    patches that is no square is taken for the grid whose shape is nearest to the backbone's, before
    MMPretrain looks at it. Squares are left to MMPretrain.

    Args:
        backbone: Any backbone; only those with MMPretrain's ``pos_embed`` are touched.
        state: State dictionary, changed in place.
        prefix: What the names of the backbone's weights begin with.
    """
    own = getattr(backbone, _NAME, None)
    given = state.get(prefix + _NAME)
    if not isinstance(own, Tensor) or not isinstance(given, Tensor) or given.shape == own.shape:
        return
    extra = getattr(backbone, "num_extra_tokens", 0)
    patches = given.shape[1] - extra
    if patches < 1 or math.isqrt(patches) ** 2 == patches:
        return
    target = tuple(backbone.patch_embed.init_out_size)
    source = likely_grid(patches, target)
    mode = getattr(backbone, "interpolate_mode", "bicubic")
    state[prefix + _NAME] = resize_pos_embed(given, source, target, mode, extra)
    print_log(
        f"Position embeddings are resized from {source[0]} x {source[1]} to {target[0]} x "
        f"{target[1]} patches.",
        logger="current",
    )


def likely_grid(patches: int, target: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of a grid of so many patches: the one of the shape nearest to the new grid.

    Args:
        patches: Number of patches.
        target: Rows and columns of the new grid.
    """
    grids = [(rows, patches // rows) for rows in range(1, patches + 1) if patches % rows == 0]
    shape = math.log(target[0] / target[1])
    return min(grids, key=lambda grid: abs(math.log(grid[0] / grid[1]) - shape))
