"""Read from a table of positions how a picture is cut into patches."""

from __future__ import annotations

from typing import Any

from mmreid_ext.errors import UserError

_PATCH = 16
_SIZES = ((256, 128), (384, 128), (256, 256), (224, 224))
_STRIDES = (16, 12, 8)
"""What re-ID programs test with, in the order of trying: 128 patches are 256 x 128 at stride 16."""


def grid_options(patches: int) -> dict[str, Any]:
    """Return the settings of a vision transformer with patches of 16 x 16 pixels.

    Args:
        patches: How many a picture has.

    Raises:
        UserError: If no size and stride in use makes so many.
    """
    for stride in _STRIDES:
        for size in _SIZES:
            rows, columns = ((side - _PATCH) // stride + 1 for side in size)
            if rows * columns == patches:
                # MMPretrain would pad where patches overlap.
                cut = {} if stride == _PATCH else {"stride": stride, "padding": 0}
                return {"model.backbone.img_size": size} | {
                    f"model.backbone.patch_cfg.{name}": value for name, value in cut.items()
                }
    raise UserError(
        f"convert: the table of positions has {patches} patches, as no size and stride that is "
        "tried; give a configuration with img_size and patch_cfg by --config."
    )
