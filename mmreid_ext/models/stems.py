"""Change the stem of a ResNet, where other programs have another one than MMPretrain."""

from __future__ import annotations

from typing import Any

from torch import nn

from mmreid_ext.errors import UserError

POOLS = ("padded", "ceil")
"""How the stem's 3 x 3 pooling of stride 2 treats the border; see :func:`set_stem_pool`."""


def remove_stem_relu(backbone: Any) -> None:
    """Take the activation away that follows the first convolution of a ResNet.

    MMPretrain's ResNet applies ``relu`` only to its plain stem; blocks have their own.

    Args:
        backbone: The backbone, changed in place.

    Raises:
        UserError: If it has no such stem.
    """
    _require_plain_stem(backbone, "stem_relu=False", "conv1", "relu")
    backbone.relu = nn.Identity()


def set_stem_pool(backbone: Any, pool: str) -> None:
    """Choose how the pooling of a ResNet's stem treats the border of the map.

    Args:
        backbone: The backbone, changed in place. Weights and their names stay.
        pool: ``'padded'``: one pixel of padding on each side, everybody's. ``'ceil'``: no padding,
            and windows may hang over the right and lower border, fast-reid's. Both make the same
            size of an even map.

    Raises:
        UserError: If the choice is another word, or the backbone has no such pooling.
    """
    if pool not in POOLS:
        raise UserError(f"ReIDModel: stem_pool={pool!r} must be 'padded' or 'ceil'.")
    _require_plain_stem(backbone, f"stem_pool={pool!r}", "conv1", "maxpool")
    padded = pool == "padded"
    backbone.maxpool = nn.MaxPool2d(3, 2, padding=1 if padded else 0, ceil_mode=not padded)


def _require_plain_stem(backbone: Any, setting: str, *parts: str) -> None:
    if not all(hasattr(backbone, part) for part in parts):
        name = type(backbone).__name__
        raise UserError(
            f"ReIDModel: {setting} needs a plain ResNet stem, not {name}; leave the setting out."
        )
