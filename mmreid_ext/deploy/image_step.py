"""Read the steps that give a picture the size of a model's input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .record_fields import Fields, quoted

FILTERS = {
    "cv2": ("nearest", "bilinear", "bicubic", "area", "lanczos"),
    "pillow": ("nearest", "bilinear", "bicubic", "box", "lanczos", "hamming"),
}
"""Interpolations of each backend, by MMCV's names."""

TYPES = ("resize", "resize_edge", "center_crop")
EDGES = ("short", "long", "width", "height")
_MAX_SIDE = 4096
_MAX_STEPS = 8  # a hostile record could keep a machine busy for minutes per picture


@dataclass(frozen=True)
class ImageStep:
    """One step; :mod:`mmreid_ext.checkpoint.usage` says what each type does.

    Attributes:
        type: ``resize``, ``resize_edge`` or ``center_crop``.
        height: Of the result; None for ``resize_edge``.
        width: Of the result; None for ``resize_edge``.
        edge: Which edge ``resize_edge`` brings to ``size``.
        size: Its new length in pixels.
        interpolation: Filter of a resizing.
        backend: ``cv2`` or ``pillow``: whose filter that is.
    """

    type: str
    height: int | None = None
    width: int | None = None
    edge: str | None = None
    size: int | None = None
    interpolation: str | None = None
    backend: str | None = None


def read_steps(fields: Fields) -> tuple[ImageStep, ...]:
    """Read ``steps`` of a model's input.

    Raises:
        UserError: If there is a step that can't be followed; names it.
    """
    found = fields.items("steps", _MAX_STEPS)
    return tuple(_step(fields.as_fields(one, f"steps[{i}]")) for i, one in enumerate(found))


def written_steps(steps: Iterable[ImageStep]) -> list[dict[str, Any]]:
    """Return steps as plain values, without what a type doesn't have."""
    return [{k: v for k, v in asdict(step).items() if v is not None} for step in steps]


def _step(fields: Fields) -> ImageStep:
    kind = fields.values.get("type")
    if kind not in TYPES:
        allowed = f"one of {', '.join(TYPES)}: Embedder follows no other step"
        raise fields.wrong("type", kind if isinstance(kind, str) else quoted(kind), allowed)
    if kind == "center_crop":
        return ImageStep(kind, *_size(fields))
    named = fields.values.get("backend") is not None
    backend = fields.choice("backend", [*FILTERS]) if named else "cv2"
    interpolation = fields.choice("interpolation", FILTERS[backend])
    if kind == "resize":
        return ImageStep(kind, *_size(fields), interpolation=interpolation, backend=backend)
    edge, size = fields.choice("edge", EDGES), fields.whole("size", 1, _MAX_SIDE)
    return ImageStep(kind, edge=edge, size=size, interpolation=interpolation, backend=backend)


def _size(fields: Fields) -> tuple[int, int]:
    return fields.whole("height", 1, _MAX_SIDE), fields.whole("width", 1, _MAX_SIDE)
