"""Translate the names of weights: of torchvision, timm and others into MMPretrain's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import accumulate

Translation = Callable[[str], str]
"""A name of a weight in, its name in MMPretrain out."""


def rules(*pairs: tuple[str, str]) -> Translation:
    """Return a translation that replaces every pattern in turn.

    Args:
        *pairs: A regular expression, and what takes the place of what it finds.
    """
    compiled: Sequence[tuple[re.Pattern[str], str]] = [(re.compile(a), b) for a, b in pairs]

    def translate(name: str) -> str:
        for pattern, replacement in compiled:
            name = pattern.sub(replacement, name)
        return name

    return translate


_MOBILENET_BLOCKS = (1, 2, 3, 4, 3, 3, 1)
"""Blocks per layer of MobileNetV2; torchvision numbers them through from 1."""

_FIRST_OF_LAYER = (0, *accumulate(_MOBILENET_BLOCKS))


def mobilenet_v2(since_0_8: bool) -> Translation:
    """Return the translation of torchvision's MobileNetV2, since its version 0.8 or before."""

    def translate(name: str) -> str:
        name = _ENDS(name)
        found = re.fullmatch(r"features\.(\d+)\.conv\.(\d)(?:\.(\d))?\.(\w+)", name)
        if found is None or not 1 <= int(found[1]) <= _FIRST_OF_LAYER[-1]:
            return name
        block, place, inner = int(found[1]) - 1, int(found[2]), found[3]
        layer = max(i for i, first in enumerate(_FIRST_OF_LAYER) if first <= block)
        if inner is not None:
            part, kind = place, int(inner)
        elif since_0_8:  # only the last convolution stands bare; the first block has no expansion
            part = 1 if block == 0 else 2
            kind = place - part
        else:  # convolution, norm, activation
            part, kind = divmod(place, 3)
        if kind not in (0, 1):
            return name
        within = block - _FIRST_OF_LAYER[layer]
        return f"layer{layer + 1}.{within}.conv.{part}.{('conv', 'bn')[kind]}.{found[4]}"

    return translate


_ENDS = rules(
    (r"^features\.0\.0\.", "conv1.conv."),
    (r"^features\.0\.1\.", "conv1.bn."),
    (r"^features\.18\.0\.", "conv2.conv."),
    (r"^features\.18\.1\.", "conv2.bn."),
)

TIMM_VIT = rules(
    (r"^patch_embed\.proj\.", "patch_embed.projection."),
    (r"^blocks\.", "layers."),
    (r"\.norm([12])\.", r".ln\1."),
    (r"\.mlp\.fc1\.", ".ffn.layers.0.0."),
    (r"\.mlp\.fc2\.", ".ffn.layers.1."),
    (r"\.ls1\.gamma$", ".attn.gamma1.weight"),
    (r"\.ls2\.gamma$", ".ffn.gamma2.weight"),
    (r"^norm\.", "ln1."),
)

TORCHVISION_VIT = rules(
    (r"^class_token$", "cls_token"),
    (r"^conv_proj\.", "patch_embed.projection."),
    (r"^encoder\.pos_embedding$", "pos_embed"),
    (r"^encoder\.layers\.encoder_layer_", "layers."),
    (r"^encoder\.ln\.", "ln1."),
    (r"\.ln_([12])\.", r".ln\1."),
    (r"\.self_attention\.in_proj_", ".attn.qkv."),
    (r"\.self_attention\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.(linear_1|0)\.", ".ffn.layers.0.0."),
    (r"\.mlp\.(linear_2|3)\.", ".ffn.layers.1."),
)

TIMM_RESNET_D = rules(
    (r"^conv1\.0\.", "stem.0.conv."),
    (r"^conv1\.1\.", "stem.0.bn."),
    (r"^conv1\.3\.", "stem.1.conv."),
    (r"^conv1\.4\.", "stem.1.bn."),
    (r"^conv1\.6\.", "stem.2.conv."),
    (r"^bn1\.", "stem.2.bn."),
    (r"^layer1\.0\.downsample\.1\.", "layer1.0.downsample.0."),
    (r"^layer1\.0\.downsample\.2\.", "layer1.0.downsample.1."),
)

TORCHREID_MOBILENET_V2 = rules(
    (r"^conv(\d)\.(\d)\.conv3\.0\.", r"layer\1.\2.conv3.conv."),
    (r"^conv(\d)\.(\d)\.conv3\.1\.", r"layer\1.\2.conv3.bn."),
    (r"^conv(\d)\.", r"layer\1."),
)

TORCHREID_OSNET_AIN = rules(
    (r"^pool([23])\.0\.", r"conv\1.2.0."),
    (r"\.conv2\.0\.layers\.0\.", ".conv2a."),
    (r"\.conv2\.1\.layers\.", ".conv2b."),
    (r"\.conv2\.2\.layers\.", ".conv2c."),
    (r"\.conv2\.3\.layers\.", ".conv2d."),
)

PREFIXES = ("", "module.", "backbone.", "base.", "model.", "image_encoder.", "encoder.")
"""What whole networks put before the names of their backbone."""

LAYOUTS: dict[str, Translation] = {
    "": lambda name: name,
    "torchvision's MobileNetV2": mobilenet_v2(since_0_8=True),
    "an early torchvision's MobileNetV2": mobilenet_v2(since_0_8=False),
    "timm's ResNet-D": TIMM_RESNET_D,
    "timm's vision transformer": TIMM_VIT,
    "torchvision's vision transformer": TORCHVISION_VIT,
    "torchreid's MobileNetV2": TORCHREID_MOBILENET_V2,
    "torchreid's OSNet-AIN": TORCHREID_OSNET_AIN,
}
"""Translations by whose names they read; the empty one changes nothing."""
