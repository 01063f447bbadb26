"""Random erasing as the strong baseline does it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmreid_ext.augmentation.erasing import Erasing
from mmreid_ext.errors import UserError
from mmreid_ext.registry import TRANSFORMS

from .drawn import DrawnTransform

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@TRANSFORMS.register_module()
class UniformAspectRandomErasing(DrawnTransform):
    """Erase a random rectangle, its aspect drawn uniformly and its colour set after normalisation.

    With probability ``prob``, up to ``attempts`` times: ``area = U(area_range) * H * W``,
    ``aspect = U(aspect_range)``, ``h = round(sqrt(area * aspect))``, ``w = round(sqrt(area /
    aspect))``; the first with ``h < H`` and ``w < W`` is placed uniformly. MMPretrain's
    ``RandomErasing`` draws the aspect log-uniformly and gives up after one rectangle that does not
    fit.

    The references write the numbers (0.485, 0.456, 0.406) into the *normalised* image, by history.
    Here images are normalised later, on the device, so the rectangle gets the raw colour whose
    normalised value is that: ``255 * (mean + std * fill)`` = (151.997, 142.327, 126.824) in RGB. It
    is exact in float images; in uint8 images it is rounded to (152, 142, 127), off by at most 0.006
    after normalisation.

    Zhong et al., "Random Erasing Data Augmentation", AAAI 2020, https://arxiv.org/abs/1708.04896;
    with the settings of Luo et al., CVPRW 2019, https://arxiv.org/abs/1903.07071.

    Modified key: ``img``.

    Args:
        prob: Probability of erasing. Defaults to 0.5.
        area_range: Smallest and largest share of the image. Defaults to (0.02, 0.4).
        aspect_range: Smallest and largest height / width. Defaults to (0.3, 1 / 0.3).
        fill: Colour after normalisation, RGB. Defaults to (0.485, 0.456, 0.406).
        mean: Mean of the normalisation in [0, 1], RGB. Defaults to ImageNet's.
        std: Standard deviation of the normalisation in [0, 1], RGB. Defaults to ImageNet's.
        bgr: Whether images are BGR, as MMCV loads them. Defaults to True.
        attempts: Rectangles tried. Defaults to 100.

    Raises:
        ValueError: If a range or probability is impossible.
    """

    def __init__(
        self,
        prob: float = 0.5,
        area_range: tuple[float, float] = (0.02, 0.4),
        aspect_range: tuple[float, float] = (0.3, 1 / 0.3),
        fill: Sequence[float] = IMAGENET_MEAN,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        bgr: bool = True,
        attempts: int = 100,
    ) -> None:
        name = type(self).__name__
        if not 0 <= prob <= 1:
            raise UserError(f"{name}: prob={prob} is not in [0, 1].")
        if not 0 < area_range[0] <= area_range[1] or not 0 < aspect_range[0] <= aspect_range[1]:
            raise UserError(
                f"{name}: area_range={area_range} and aspect_range={aspect_range} must be "
                "0 < low <= high."
            )
        self.prob, self.area_range, self.aspect_range = prob, area_range, aspect_range
        self.attempts = attempts
        color = 255 * (np.asarray(mean) + np.asarray(std) * np.asarray(fill))
        self.color = color[::-1] if bgr else color
        self.augment = Erasing(
            prob, tuple(area_range), tuple(aspect_range), tuple(self.color.tolist()), attempts
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(prob={self.prob}, area_range={self.area_range}, "
            f"aspect_range={self.aspect_range}, color={self.color.round(3).tolist()})"
        )
