"""Weights of torchvision: ResNet, MobileNetV2 and ViT, trained on ImageNet.

https://github.com/pytorch/vision. Weights to start a training from need no conversion
(``--init-weights``); a converted file is for measuring what they do untrained.
"""

from __future__ import annotations

from typing import Any

from mmreid_ext.checkpoint.converting.shapes import resnet_options
from mmreid_ext.checkpoint.converting.source import Choice, Named, Source, State, behind
from mmreid_ext.checkpoint.starting.layouts import (
    TORCHVISION_VIT,
    Translation,
    mobilenet_v2,
    rules,
)

_MOBILE = "features.0.0.weight"
_VIT = "encoder.pos_embedding"
_TODAYS = "features.1.conv.0.0.weight"
_ASSUMED = "256 x 128, bilinear by Pillow, mean and standard deviation of ImageNet"


def _renaming(state: State) -> Translation:
    if _MOBILE in state:
        backbone = mobilenet_v2(since_0_8=_TODAYS in state)
    else:
        backbone = TORCHVISION_VIT if _VIT in state else rules()
    return behind("", backbone, rules())


def _choose(state: State) -> Choice:
    options: dict[str, Any] = {}
    if _MOBILE in state:
        width = {16: 0.5, 24: 0.75, 32: 1.0, 48: 1.4}.get(len(state[_MOBILE]), 1.0)
        options["model.backbone.widen_factor"] = width
        options["model.head.in_channels"] = len(state["features.18.0.weight"])
        return Choice("torchvision_mobilenetv2", options, f"last stride 2; {_ASSUMED}")
    if _VIT in state:
        return Choice("torchvision_vit_b16", options, "224 x 224, bilinear by Pillow")
    return Choice("torchvision_r50", resnet_options(state), f"last stride 2; {_ASSUMED}")


TORCHVISION = Source(
    name="torchvision",
    title="torchvision",
    signs=(
        (r"^layer1\.0\.conv1\.", r"^conv1\.weight$"),
        (r"^features\.0\.0\.", r"^features\.18\."),
        (r"^encoder\.layers\.encoder_layer_0\.",),
    ),
    renaming=_renaming,
    choose=_choose,
    dropped=(Named(r"^(fc|heads\.head|classifier\.1)\.", "ImageNet's classifier"),),
)
