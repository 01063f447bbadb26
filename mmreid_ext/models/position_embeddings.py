"""Resize position embeddings when weights of another image size are loaded.

Pedestrian images aren't square, and MMPretrain takes the grid of a checkpoint for a square.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any, NamedTuple, cast

from mmengine.logging import print_log
from mmpretrain.models.utils import resize_pos_embed
from torch import Tensor, nn

from mmreid_ext.compat.old_pytorch import call_before_loading

_NAME = "pos_embed"
Grid = tuple[int, int]


class _Table(NamedTuple):
    """Position embeddings (1, extra + patches, C) of a checkpoint, to be resized."""

    embeddings: Tensor
    extra: int  # class tokens before the patches
    patches: int
    target: Grid  # rows and columns of the backbone's patches


def resize_when_loaded(backbone: nn.Module) -> None:
    """Let a backbone call :func:`resize_loaded` whenever weights are loaded into it.

    That may be into the backbone alone (``init_cfg``), or into the model around it.
    """
    handle = call_before_loading(backbone, _before_loading)
    hooks = cast("OrderedDict[int, Any]", backbone._load_state_dict_pre_hooks)
    hooks.move_to_end(handle.id, last=False)  # before MMPretrain's own hook, which fails


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
    size of the images it was trained with, the grid is known. Without it, a number of patches that
    is no square is taken for the grid whose shape is nearest to the backbone's; squares are left to
    MMPretrain.

    Args:
        backbone: Any backbone; only those with MMPretrain's ``pos_embed`` are touched.
        state: State dictionary, changed in place.
        prefix: What the names of the backbone's weights begin with.
        source_size: Height and width of the images that the weights were trained with.
    """
    table = _table_to_resize(backbone, state.get(prefix + _NAME))
    if table is None:
        return
    if source_size is None and math.isqrt(table.patches) ** 2 == table.patches:
        return
    source, target = likely_grid(table.patches, source_size or table.target), table.target
    mode = getattr(backbone, "interpolate_mode", "bicubic")
    state[prefix + _NAME] = resize_pos_embed(table.embeddings, source, target, mode, table.extra)
    print_log(
        f"Resizing position embeddings: {source[0]} x {source[1]} patches in the file, "
        f"{target[0]} x {target[1]} in the backbone.",
        logger="current",
    )


def _table_to_resize(backbone: nn.Module, given: Any) -> _Table | None:
    """Compare the embeddings of a checkpoint with a backbone's; None if there is nothing to do."""
    own = getattr(backbone, _NAME, None)
    target = getattr(getattr(backbone, "patch_embed", None), "init_out_size", None)
    if not isinstance(own, Tensor) or not isinstance(given, Tensor) or target is None:
        return None
    if given.dim() != 3 or given.shape == own.shape:
        return None
    # DeiT III keeps its class token out of the table.
    extra = own.shape[1] - math.prod(target)
    patches = given.shape[1] - extra
    if extra < 0 or patches < 1:
        return None
    rows, columns = target
    return _Table(given, extra, patches, (rows, columns))


def likely_grid(patches: int, target: Grid) -> Grid:
    """Return rows and columns of the grid of ``patches`` whose shape is nearest to another's.

    Args:
        patches: Number of patches.
        target: Rows and columns, or height and width, of the other.
    """
    grids = [(rows, patches // rows) for rows in range(1, patches + 1) if patches % rows == 0]
    # Twice as tall and half as tall are equally far from a shape.
    shape = math.log(target[0] / target[1])
    return min(grids, key=lambda grid: abs(math.log(grid[0] / grid[1]) - shape))
