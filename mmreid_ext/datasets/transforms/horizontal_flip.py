"""Random mirror image."""

from __future__ import annotations

from mmreid_ext.augmentation.mirror import Mirror
from mmreid_ext.errors import UserError
from mmreid_ext.registry import TRANSFORMS

from .drawn import DrawnTransform


@TRANSFORMS.register_module()
class HorizontalFlip(DrawnTransform):
    """Mirror an image left to right with a probability.

    Pixels are those of MMCV's ``RandomFlip``, whose general form (boxes, masks, several directions)
    and mirrored *view*, to be copied by whatever comes next, cost several times more.

    Modified key: ``img`` (H, W) or (H, W, C).

    Args:
        prob: Probability. Defaults to 0.5.

    Raises:
        ValueError: If ``prob`` is not in [0, 1].
    """

    def __init__(self, prob: float = 0.5) -> None:
        if not 0 <= prob <= 1:
            raise UserError(f"HorizontalFlip: prob={prob} is not in [0, 1].")
        self.prob = prob
        self.augment = Mirror(prob)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prob={self.prob})"
