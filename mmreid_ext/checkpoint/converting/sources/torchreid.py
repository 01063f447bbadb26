"""Checkpoints of torchreid: OSNet (also -IBN and -AIN), ResNet, its 512-d head, MobileNetV2.

K. Zhou, T. Xiang, "Torchreid: A Library for Deep Learning Person Re-Identification in Pytorch",
2019, https://arxiv.org/abs/1910.10093, https://github.com/KaiyangZhou/deep-person-reid.
"""

from __future__ import annotations

from typing import Any

from mmreid_ext.checkpoint.converting.shapes import classes, mobilenet_width, resnet_options
from mmreid_ext.checkpoint.converting.source import Choice, Named, Source, State
from mmreid_ext.checkpoint.starting.layouts import (
    TORCHREID_MOBILENET_V2,
    TORCHREID_OSNET_AIN,
    Translation,
    rules,
)

_ASSUMED = "256 x 128, bilinear by Pillow"
_CLASSIFIER = rules((r"^classifier\.", "head.classifier."))
_MOBILE = "conv2.0.dwconv2.conv.weight"


def _renaming(state: State) -> Translation:
    # The 512-d layer of OSNet is a part of our backbone; behind a ResNet it is one of the neck.
    outside: tuple[str, ...] = ("classifier.", "fc.")
    backbone = rules()
    if _MOBILE in state:
        backbone = TORCHREID_MOBILENET_V2
    elif "conv1.conv.weight" in state:
        outside, backbone = ("classifier.",), TORCHREID_OSNET_AIN

    def translate(name: str) -> str:
        if name.startswith(outside):
            return f"neck.{name}" if name.startswith("fc.") else _CLASSIFIER(name)
        return f"backbone.{backbone(name)}"

    return translate


def _choose(state: State) -> Choice:
    options: dict[str, Any] = classes(state, "classifier.weight")
    if "classifier.weight" in state:
        options["model.head.classifier_bias"] = "classifier.bias" in state
    if "conv1.conv.weight" not in state:
        reduced = "_fc512" if "fc.0.weight" in state else ""
        options |= resnet_options(state)
        if reduced:
            options["model.neck.in_channels"] = options["model.head.in_channels"]
            options["model.head.in_channels"] = len(state["fc.0.weight"])
            options["model.neck.out_channels"] = len(state["fc.0.weight"])
        stride = 1 if reduced else 2
        return Choice(f"torchreid_r50{reduced}", options, f"last stride {stride}; {_ASSUMED}")
    stem = len(state["conv1.conv.weight"])
    if _MOBILE in state:
        options |= mobilenet_width(state["conv8.0.conv3.0.weight"])
        options["model.head.in_channels"] = len(state["conv9.conv.weight"])
        return Choice("torchreid_mobilenetv2", options, f"last stride 2; {_ASSUMED}")
    options["model.backbone.width"] = stem / 64
    kind = "" if "conv1.bn.running_mean" in state else "_ibn"
    kind = "_ain" if "conv2.0.conv2.0.layers.0.conv1.weight" in state else kind
    return Choice(f"torchreid_osnet{kind}", options, _ASSUMED)


TORCHREID = Source(
    name="torchreid",
    title="torchreid",
    signs=(
        (r"^conv2\.0\.conv2a\.",),
        (r"^conv2\.0\.conv2\.0\.layers\.",),
        (r"^conv2\.0\.dwconv2\.",),
        (r"^layer1\.0\.conv1\.", r"^classifier\."),
    ),
    renaming=_renaming,
    choose=_choose,
    refused=(Named(r"^parts_avgpool|^part_fc|^global_fc|^local_", "branches of PCB or MLFN"),),
)
