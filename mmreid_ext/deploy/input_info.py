"""Say what a model takes, and read it from the model's record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .image_step import ImageStep, read_steps, written_steps
from .record_fields import Fields

KINDS = ("normalized", "rgb01", "uint8")
MAX_SIDE = 4096


@dataclass(frozen=True)
class InputInfo:
    """What a model takes.

    Attributes:
        kind: ``normalized``: N x 3 x H x W float32, ``(pixel - mean) / std``, pixels in 0..255;
            ``rgb01``: N x 3 x H x W float32 in 0..1; ``uint8``: N x H x W x 3 bytes.
        height: H.
        width: W.
        channel_order: ``RGB`` or ``BGR``: that of ``mean``, ``std`` and of ``normalized`` input.
            ``rgb01`` and ``uint8`` are RGB always.
        mean: Three numbers in 0..255. None: nothing is subtracted.
        std: Three numbers. None: nothing is divided.
        steps: How a picture gets its size, in order.
    """

    kind: str
    height: int
    width: int
    channel_order: str
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    steps: tuple[ImageStep, ...]


def read_input(fields: Fields) -> InputInfo:
    """Read ``input`` of a record.

    Raises:
        UserError: If a field is missing or wrong; names it.
    """
    height, width = fields.whole("height", 1, MAX_SIDE), fields.whole("width", 1, MAX_SIDE)
    mean, std = fields.per_channel("mean", -1000, 1000), fields.per_channel("std", 1e-6, 1e6)
    if (mean is None) != (std is None):
        raise fields.wrong("std", fields.values.get("std"), "given together with mean, or null")
    steps = read_steps(fields)
    sizes = [(s.height, s.width) for s in steps[-1:] if s.type != "resize_edge"]
    if sizes and sizes != [(height, width)]:
        raise fields.wrong("steps", steps, f"steps that end in {height} x {width} pixels")
    return InputInfo(
        kind=fields.choice("kind", KINDS),
        height=height,
        width=width,
        channel_order=fields.choice("channel_order", ("RGB", "BGR")),
        mean=mean,
        std=std,
        steps=steps,
    )


def written_input(info: InputInfo) -> dict[str, Any]:
    """Return it as plain values, as :func:`read_input` reads them."""
    values = asdict(info) | {"steps": written_steps(info.steps)}
    return values | {name: values[name] and list(values[name]) for name in ("mean", "std")}
