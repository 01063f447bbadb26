"""Remove the last stride of MobileNetV2."""

from __future__ import annotations

from typing import Any

from mmpretrain.models import MobileNetV2 as _MobileNetV2

from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS


@MODELS.register_module()
class MobileNetV2(_MobileNetV2):
    """MMPretrain's MobileNetV2, whose strides are fixed, with the last one removed.

    Re-identification keeps the resolution of the last stages, which doubles the final map in both
    directions.

    Args:
        last_stride: Stride of the last stage that has one, 1 or 2. Defaults to 1.
        **kwargs: Those of MMPretrain's ``MobileNetV2``.
    """

    def __init__(self, last_stride: int = 1, **kwargs: Any) -> None:
        if last_stride not in (1, 2):
            raise UserError(f"MobileNetV2: last_stride={last_stride} must be 1 or 2.")
        settings = [list(stage) for stage in _MobileNetV2.arch_settings]
        strided = max(i for i, (_, _, _, stride) in enumerate(settings) if stride == 2)
        settings[strided][3] = last_stride
        self.arch_settings = settings
        super().__init__(**kwargs)
