"""Random shift of the picture, zeros moving in."""

from __future__ import annotations

from mmreid_ext.augmentation.shift import Shift
from mmreid_ext.errors import UserError
from mmreid_ext.registry import TRANSFORMS

from .drawn import DrawnTransform


@TRANSFORMS.register_module()
class PadCrop(DrawnTransform):
    """Pad all sides with zeros, then crop the original size at a random place.

    Top and left are drawn uniformly from the integers ``0 .. 2 * padding``, both ends included, as
    in the strong baseline (Luo et al., CVPRW 2019, https://arxiv.org/abs/1903.07071) and MetaBIN.
    The padded image is never made: the result is a zero image with the overlap copied into it.

    Modified key: ``img``.

    Args:
        padding: Pixels per side. Defaults to 10.
        offset_overrun: Additional largest offset; 1 reproduces PaddleClas, whose crop may reach one
            row or column past the padding (zeros). Defaults to 0.

    Raises:
        ValueError: If a number is negative.
    """

    def __init__(self, padding: int = 10, offset_overrun: int = 0) -> None:
        if padding < 0 or offset_overrun < 0:
            raise UserError(
                f"PadCrop: padding={padding}, offset_overrun={offset_overrun}; both must be >= 0."
            )
        self.padding, self.offset_overrun = padding, offset_overrun
        self.augment = Shift(padding, offset_overrun)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(padding={self.padding}, offset_overrun={self.offset_overrun})"
        )
