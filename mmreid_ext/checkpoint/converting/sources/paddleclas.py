"""Checkpoints of PaddleClas (``.pdparams``): MetaBIN, strong baseline, XBM, ArcMargin on ResNets.

PaddleClas numbers the blocks of a ResNet through, and its linear layers are transposed.

https://github.com/PaddlePaddle/PaddleClas, https://github.com/PaddlePaddle/PaddleMetric.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Any

from torch import Tensor

from mmreid_ext.checkpoint.converting.shapes import DEPTHS, classes, count_blocks
from mmreid_ext.checkpoint.converting.source import TRAINING, Choice, Named, Source, State
from mmreid_ext.checkpoint.starting.layouts import Translation, rules
from mmreid_ext.errors import UserError

_TRANSPOSED = ("neck.fc.weight", "head.fc.weight", "head.weight")
_DEEP_STEM = "backbone.stem.1.conv.weight"
_GATE = ".bn.gate.gate"
_BLOCK = re.compile(r"^backbone\.blocks\.(\d+)\.(conv|short)")

_PARTS = (
    (r"\.bn\.batch_norm\.", ".bn."),
    (r"\.bn\.instance_norm\.scale$", ".bn.in_weight"),
    (r"\.bn\.instance_norm\.bias$", ".bn.in_bias"),
    (r"\.bn\.gate\.gate$", ".bn.gate"),
    (r"\._mean$", ".running_mean"),
    (r"\._variance$", ".running_var"),
    (r"\.conv0\.conv\.", ".conv1."),
    (r"\.conv1\.conv\.", ".conv2."),
    (r"\.conv2\.conv\.", ".conv3."),
    (r"\.conv0\.bn\.", ".bn1."),
    (r"\.conv1\.bn\.", ".bn2."),
    (r"\.conv2\.bn\.", ".bn3."),
    (r"^neck\.feat_bn\.", "head.neck."),
    (r"^neck\.fc\.", "head.embedding."),
    (r"^head\.fc\.", "head.classifier."),
    (r"^head\.weight$", "head.classifier.weight"),
)
_PLAIN_STEM = (
    (r"^backbone\.stem\.0\.conv\.", "backbone.conv1."),
    (r"^backbone\.stem\.0\.bn\.", "backbone.bn1."),
)


def _transposed(state: State) -> dict[str, Tensor]:
    return {
        name: value.T.contiguous() if name in _TRANSPOSED else value
        for name, value in state.items()
    }


def _stages(state: State) -> tuple[int, tuple[int, ...]]:
    """Return the depth of a ResNet, and how many blocks its stages have."""
    blocks = count_blocks(state, r"backbone\.blocks")
    wide = "backbone.blocks.0.conv2.conv.weight" in state
    for (stages, bottlenecks), depth in DEPTHS.items():
        if sum(stages) == blocks and bottlenecks == wide:
            return depth, stages
    raise UserError(
        f"convert: the network of PaddleClas has {blocks} blocks, must be a ResNet of depth "
        f"{', '.join(map(str, DEPTHS.values()))}; other backbones have no counterpart here."
    )


def _renaming(state: State) -> Translation:
    starts = (0, *accumulate(_stages(state)[1]))
    deep = _DEEP_STEM in state
    rename = rules(*_PARTS, *(() if deep else _PLAIN_STEM))

    def translate(name: str) -> str:
        found = _BLOCK.match(name)
        if found is None:
            return rename(name)
        number = int(found[1])
        stage = max(place for place, start in enumerate(starts) if start <= number)
        # Where the stride is, ResNet-D pools before it convolves.
        first = 1 if deep and stage else 0
        shortcut = rules(
            (r"\.short\.conv\.", f".downsample.{first}."),
            (r"\.short\.bn\.", f".downsample.{first + 1}."),
        )
        block = f"backbone.layer{stage + 1}.{number - starts[stage]}."
        inner = rename("." + name.removeprefix(f"backbone.blocks.{number}."))
        return block + shortcut(inner).removeprefix(".")

    return translate


def _choose(state: State) -> Choice:
    depth = _stages(state)[0]
    options: dict[str, Any] = {"model.backbone.depth": depth}
    size = 512 if depth < 50 else 2048
    changed = _transposed(state)
    identities = classes(changed, "head.fc.weight") or classes(changed, "head.weight")
    options |= {"model.head.in_channels": size} | identities
    if any(name.endswith(_GATE) for name in state):
        options["model.head.classifier_bias"] = "head.fc.bias" in state
        return Choice("paddleclas_metabin_r50", options, "last stride 1; 256 x 128, bicubic")
    if "neck.fc.weight" in state:
        options["model.head.embedding_dim"] = len(changed["neck.fc.weight"])
        if _DEEP_STEM in state:
            return Choice("arcmargin_r50vd_market", options, "128 x 128, our interpolation")
        return Choice("xbm_r50_sop", options, "last stride 2; max pooling; our interpolation")
    options["model.head.classifier_bias"] = "head.fc.bias" in state
    if "neck.feat_bn.weight" in state:
        assumed = "last stride 1; no ReLU in the stem; 256 x 128, bilinear; after the neck"
        return Choice("paddleclas_strong_baseline_r50", options, assumed)
    assumed = "last stride 2; no ReLU in the stem; 256 x 128, bilinear"
    return Choice("paddleclas_baseline_r50", options, assumed)


PADDLECLAS = Source(
    name="paddleclas",
    title="PaddleClas",
    signs=((r"^backbone\.stem\.0\.bn\.",), (r"\._variance$",)),
    renaming=_renaming,
    choose=_choose,
    change=_transposed,
    dropped=(Named(r"^loss_func\.", TRAINING),),
)
