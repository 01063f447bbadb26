"""Mean, deviation and colour order that a program applies before it calls an exported file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Channels: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True)
class Normalization:
    """Mean, standard deviation and order of channels.

    Attributes:
        mean: Of pixels in 0..255, in the order of the channels.
        std: In the same order.
        channel_order: ``RGB`` or ``BGR``.
    """

    mean: Channels
    std: Channels
    channel_order: str = "RGB"

    def is_that_of(self, use: Mapping[str, Any]) -> bool:
        """Return whether a model normalises its images in this way.

        Args:
            use: ``input`` of a checkpoint's record, see :mod:`mmreid_ext.checkpoint.usage`.
        """
        return dict(use) | self.entries() == dict(use)

    def entries(self) -> dict[str, Any]:
        """Return it as a checkpoint's record has it."""
        return {
            "channel_order": self.channel_order,
            "mean": list(self.mean),
            "std": list(self.std),
        }


IMAGENET = Normalization((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
"""0.485, 0.456, 0.406 and 0.229, 0.224, 0.225 of pixels in 0..1."""

IMAGENET_ON_BGR = Normalization(IMAGENET.mean, IMAGENET.std, "BGR")
"""The same numbers on channels in OpenCV's order: red's mean is taken from blue. A slip of a
program that feeds frames as OpenCV reads them; it can be undone, since the numbers are known."""
