"""Describe what a test pipeline does to an image, in steps that any application can follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmreid_ext.image_loading import only_decodes, split_loading
from mmreid_ext.json_values import plain_json
from mmreid_ext.type_names import type_name

_NOT_PIXELS = ("PackInputs", "PackReIDInputs")


def image_steps(
    pipeline: Sequence[Mapping[str, Any]], loader: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Describe the loader and the transforms as far as they change pixels.

    Args:
        pipeline: Configurations of the transforms of test images.
        loader: Configuration of their loader. None: see :mod:`mmreid_ext.image_loading`.

    Returns:
        ``resize``, ``resize_edge`` and ``center_crop`` (see :mod:`mmreid_ext.checkpoint.usage`);
        other transforms as they are configured.
    """
    images = split_loading(loader, pipeline, "image_steps")
    changes = images.transforms if only_decodes(images.loader) else images.in_order
    return [_step(one) for one in changes if type_name(one["type"]) not in _NOT_PIXELS]


def final_size(steps: Sequence[Mapping[str, Any]]) -> tuple[int | None, int | None]:
    """Return height and width after the last step; None unless that step fixes them."""
    if steps and steps[-1]["type"] in ("resize", "center_crop"):
        return steps[-1]["height"], steps[-1]["width"]
    return None, None


def _step(transform: Mapping[str, Any]) -> dict[str, Any]:
    name = type_name(transform["type"])
    if name == "LoadResized":
        return _resize(transform, "bicubic")
    if name == "ResizeEdge":
        edge, size = transform.get("edge", "short"), int(transform["scale"])
        return dict(type="resize_edge", edge=edge, size=size, **_filter(transform, "bilinear"))
    if name == "Resize" and "scale" in transform and not transform.get("keep_ratio", False):
        return _resize(transform, "bilinear")
    if name == "CenterCrop" and not transform.get("efficientnet_style", False):
        width, height = _pair(transform["crop_size"])
        return dict(type="center_crop", height=height, width=width)
    return plain_json(transform)


def _resize(transform: Mapping[str, Any], interpolation: str) -> dict[str, Any]:
    width, height = _pair(transform["scale"])
    filters = _filter(transform, interpolation)
    return dict(type="resize", height=height, width=width, **filters)


def _filter(transform: Mapping[str, Any], default: str) -> dict[str, Any]:
    return dict(
        interpolation=transform.get("interpolation", default),
        backend=transform.get("backend", "cv2"),
    )


def _pair(value: int | Sequence[int]) -> tuple[int, int]:
    """MMCV's (width, height), or one number for both."""
    width, height = (value, value) if isinstance(value, int) else value
    return int(width), int(height)
