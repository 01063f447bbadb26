"""Read from the shapes of weights how deep and how wide a network is."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor

from mmreid_ext.errors import UserError

from .source import State

_HEAD_CHANNELS = 64
_LAST_STAGE = 320  # channels of MobileNetV2's

DEPTHS: dict[tuple[tuple[int, ...], bool], int] = {
    ((2, 2, 2, 2), False): 18,
    ((3, 4, 6, 3), False): 34,
    ((3, 4, 6, 3), True): 50,
    ((3, 4, 23, 3), True): 101,
    ((3, 8, 36, 3), True): 152,
}
"""Depth of a ResNet by its blocks per stage, and whether they are bottlenecks."""


def resnet_depth(state: State, prefix: str = "") -> int:
    """Return the depth of a ResNet.

    Args:
        state: Its weights, with names such as ``layer1.0.conv1.weight``.
        prefix: What stands before these names.

    Raises:
        UserError: If no ResNet has so many blocks.
    """
    blocks = tuple(count_blocks(state, rf"{re.escape(prefix)}layer{n}") for n in range(1, 5))
    wide = f"{prefix}layer1.0.conv3.weight" in state
    if (blocks, wide) not in DEPTHS:
        known = ", ".join(map(str, DEPTHS.values()))
        raise UserError(
            f"convert: the network has {', '.join(map(str, blocks))} blocks in its four stages, "
            f"must be a ResNet of depth {known}; give its configuration by --config."
        )
    return DEPTHS[blocks, wide]


def resnet_options(state: State, prefix: str = "") -> dict[str, Any]:
    """Return the settings of a ResNet and of the head behind it."""
    depth = resnet_depth(state, prefix)
    return {"model.backbone.depth": depth, "model.head.in_channels": 512 if depth < 50 else 2048}


def vit_options(state: State, prefix: str = "") -> dict[str, Any]:
    """Return the settings of a vision transformer and of the head behind it.

    An attention head has 64 channels in every published one.

    Args:
        state: Its weights, with timm's names such as ``blocks.0.mlp.fc1.weight``.
        prefix: What stands before these names.
    """
    hidden, width = state[f"{prefix}blocks.0.mlp.fc1.weight"].shape
    return {
        "model.backbone.arch": dict(
            embed_dims=width,
            num_layers=count_blocks(state, rf"{re.escape(prefix)}blocks"),
            num_heads=max(width // _HEAD_CHANNELS, 1),
            feedforward_channels=hidden,
        ),
        "model.head.in_channels": width,
    }


def mobilenet_width(projection: Tensor) -> dict[str, Any]:
    """Return the width of a MobileNetV2 whose channels are cut off to whole numbers.

    Args:
        projection: Weight of the last convolution of its last stage. That has the most channels of
            all that the width changes, so the least is cut off.
    """
    return {"model.backbone.width": round(len(projection) / _LAST_STAGE, 2)}


def count_blocks(state: State, stage: str) -> int:
    """Return how many numbered parts follow a pattern: ``layer1`` for ``layer1.0.…``."""
    found = (re.match(rf"{stage}\.(\d+)\.", name) for name in state)
    return max((int(match[1]) + 1 for match in found if match), default=0)


def classes(state: State, name: str) -> dict[str, Any]:
    """Return the number of identities by the weight of a classifier; nothing if there is none.

    Args:
        state: Weights.
        name: Name of the classifier's weight, whose first dimension are the classes.
    """
    return {} if name not in state else {"model.head.num_classes": len(state[name])}
