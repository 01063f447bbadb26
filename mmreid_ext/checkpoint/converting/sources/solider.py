"""Checkpoints of SOLIDER-REID: Swin transformers with a semantic controller.

W. Chen et al., "Beyond Appearance: a Semantic Controllable Self-Supervised Learning Framework for
Human-Centric Visual Tasks", CVPR 2023, https://arxiv.org/abs/2303.17602,
https://github.com/tinyvision/SOLIDER-REID. Its Swin has the names of MMPretrain's.
"""

from __future__ import annotations

from typing import Any

from mmreid_ext.checkpoint.converting.shapes import classes, count_blocks
from mmreid_ext.checkpoint.converting.source import Choice, Named, Source, State, always, behind
from mmreid_ext.checkpoint.starting.layouts import rules

_PATCHES = "base.patch_embed.projection.weight"
_HEAD_CHANNELS = 32


def _choose(state: State) -> Choice:
    size = len(state[_PATCHES])
    sizes = [size * 2**stage for stage in range(4)]
    options: dict[str, Any] = {
        "model.backbone.arch": dict(
            embed_dims=size,
            depths=[count_blocks(state, rf"base\.stages\.{n}\.blocks") for n in range(4)],
            num_heads=[channels // _HEAD_CHANNELS for channels in sizes],
        ),
        "model.head.in_channels": sizes[-1],
    }
    weighted = any(".semantic_embed_w." in name for name in state)
    if not weighted:
        options["model.backbone.semantic_weight"] = None
    assumed = "384 x 128, bilinear by Pillow; mean and std 0.5; before the neck"
    assumed += "; semantic weight 0.2" if weighted else ""
    return Choice("solider_swin", options | classes(state, "classifier.weight"), assumed)


SOLIDER = Source(
    name="solider",
    title="SOLIDER",
    signs=((r"^base\.stages\.0\.blocks\.", r"^base\.patch_embed\.projection\."),),
    renaming=always(
        behind(
            "base.",
            rules(),
            rules((r"^bottleneck\.", "head.neck."), (r"^classifier\.", "head.classifier.")),
        )
    ),
    choose=_choose,
    dropped=(
        Named(r"^base\.semantic_embed_[wb]\.3\.", "they don't reach the output"),
        Named(r"^base\.norm[0-2]\.", "norms of maps that aren't used"),
    ),
    refused=(
        Named(r"^fcneck\.", "a reduced embedding (REDUCE_FEAT_DIM), which ours lacks"),
        Named(r"^(b\d|bottleneck_\d|classifier_\d)\.", "the jigsaw branch, which ours lacks"),
    ),
)
