"""Checkpoints of the official MetaBIN code: ResNet and MobileNetV2 with gates.

S. Choi, T. Kim, M. Jeong, H. Park, C. Kim, "Meta Batch-Instance Normalization for Generalizable
Person Re-Identification", CVPR 2021, https://arxiv.org/abs/2011.14670. Names of weights are facts;
no line of its code, which has no licence, stands here.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mmreid_ext.checkpoint.converting.shapes import classes, mobilenet_width, resnet_options
from mmreid_ext.checkpoint.converting.source import Choice, Named, Source, State
from mmreid_ext.checkpoint.starting.layouts import Translation, rules

_GATE = ".gate"
_STEM = "backbone.layer1.conv.weight"  # of MobileNetV2; a ResNet's has another name


def _one_affine_for_two(state: State) -> dict[str, Tensor]:
    """Give a layer of its first version, whose halves share an affine, one for each half."""
    changed = dict(state)
    for name in state:
        layer = name.removesuffix(_GATE)
        if name.endswith(_GATE) and f"{layer}.weight" in state:
            for part in ("weight", "bias"):
                changed[f"{layer}.in_{part}"] = state[f"{layer}.{part}"]
    return changed


def _choose(state: State) -> Choice:
    identities = classes(state, "heads.classifier_fc.weight")
    gated = any(name.endswith(_GATE) for name in state)
    norm: dict[str, Any] = {} if gated else {"model.backbone.norm_cfg.type": "mmreid_ext.SyncBN"}
    if _STEM not in state:
        options = resnet_options(state, "backbone.")
        return Choice("metabin_r50_official", options | identities | norm, _ASSUMED)
    size = len(state["backbone.layer9.conv.weight"])
    width = mobilenet_width(state["backbone.layer8.0.conv3.weight"])
    width |= {"model.head.in_channels": size}
    return Choice("metabin_mobilenetv2_official", width | identities | norm, _ASSUMED)


_ASSUMED = "last stride 1; 256 x 128, bicubic"

_NAMES = (
    (r"\.bat_n\.", "."),
    (r"\.ins_n\.(weight|bias)$", r".in_\1"),
    (r"\.downsample\.conv\.", ".downsample.0."),
    (r"\.downsample\.bn\.", ".downsample.1."),
    (r"^heads\.classifier_norm\.", "head.neck."),
    (r"^heads\.classifier_fc\.", "head.classifier."),
)
_OF_MOBILENET = (
    # The last convolution of a block, and the norm behind it.
    (r"^(backbone\.layer[2-8]\.\d+)\.conv3\.", r"\1.conv3.conv."),
    (r"^(backbone\.layer[2-8]\.\d+)\.bn\.", r"\1.conv3.bn."),
)


def _renaming(state: State) -> Translation:
    return rules(*_NAMES, *(_OF_MOBILENET if _STEM in state else ()))


METABIN = Source(
    name="metabin",
    title="the official MetaBIN",
    signs=((r"^heads\.classifier_(norm|fc)\.",), (r"\.bat_n\.", r"\.ins_n\.")),
    renaming=_renaming,
    choose=_choose,
    change=_one_affine_for_two,
    dropped=(Named(r"^pixel_(mean|std)$", "mean and standard deviation are in the configuration"),),
    refused=(
        Named(r"^heads\.bottleneck\.", "a reduced embedding (META.BOTTLENECK), which ours lacks"),
        Named(r"\.ins_n\.running_", "running statistics of instance norms, which ours have not"),
    ),
)
