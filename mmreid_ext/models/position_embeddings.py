"""Position embeddings of images that aren't square, at another size than they were trained for."""

from __future__ import annotations

import math
from typing import Any

from mmengine.logging import print_log
from mmpretrain.models.utils import resize_pos_embed
from torch import Tensor, nn

_NAME = "pos_embed"


def resize_when_loaded(backbone: nn.Module) -> None:
    """Let a backbone call :func:`resize_loaded` whenever weights are loaded into it.

    By whatever way: into the backbone alone (``init_cfg``), or into the model around it.
    """
    handle = backbone.register_load_state_dict_pre_hook(_before_loading)
    # Before MMPretrain's own hook, which fails.
    backbone._load_state_dict_pre_hooks.move_to_end(handle.id, last=False)


def _before_loading(backbone: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
    resize_loaded(backbone, state, prefix)


def resize_loaded(
    backbone: nn.Module,
    state: dict[str, Any],
    prefix: str,
    source_size: tuple[int, int] | None = None,
) -> None:
    """Resize position embeddings in a state dictionary to the grid of a backbone.

    MMPretrain takes the grid of a checkpoint for a square, 11 x 11 where it is 16 x 8. With the
    size of the images it was trained with, the grid is known. Without, a number of patches that is
    no square is taken for the grid whose shape is nearest to the backbone's, and squares are left
    to MMPretrain.

    Args:
        backbone: Any backbone; only those with MMPretrain's ``pos_embed`` are touched.
        state: State dictionary, changed in place.
        prefix: What the names of the backbone's weights begin with.
        source_size: Height and width of the images that the weights were trained with.
    """
    own = getattr(backbone, _NAME, None)
    given = state.get(prefix + _NAME)
    target = getattr(getattr(backbone, "patch_embed", None), "init_out_size", None)
    if not isinstance(own, Tensor) or not isinstance(given, Tensor) or target is None:
        return
    if given.dim() != 3 or given.shape == own.shape:
        return
    # DeiT III keeps its class token out of the table.
    extra = own.shape[1] - math.prod(target)
    patches = given.shape[1] - extra
    if extra < 0 or patches < 1 or (source_size is None and math.isqrt(patches) ** 2 == patches):
        return
    target = tuple(target)
    source = likely_grid(patches, source_size or target)
    mode = getattr(backbone, "interpolate_mode", "bicubic")
    state[prefix + _NAME] = resize_pos_embed(given, source, target, mode, extra)
    print_log(
        f"Position embeddings are resized from {source[0]} x {source[1]} to {target[0]} x "
        f"{target[1]} patches.",
        logger="current",
    )


def likely_grid(patches: int, target: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of a grid of so many patches: the one whose shape is nearest to another's.

    Args:
        patches: Number of patches.
        target: Rows and columns, or height and width, of the other.
    """
    grids = [(rows, patches // rows) for rows in range(1, patches + 1) if patches % rows == 0]
    shape = math.log(target[0] / target[1])
    return min(grids, key=lambda grid: abs(math.log(grid[0] / grid[1]) - shape))
