"""Checkpoints of TransReID: ViT and DeiT without camera embeddings and without the jigsaw branch.

S. He et al., "TransReID: Transformer-based Object Re-Identification", ICCV 2021,
https://arxiv.org/abs/2102.04378, https://github.com/damo-cv/TransReID.
"""

from __future__ import annotations

from mmreid_ext.checkpoint.converting.patches import grid_options
from mmreid_ext.checkpoint.converting.shapes import classes, vit_options
from mmreid_ext.checkpoint.converting.source import Choice, Named, Source, State, always, behind
from mmreid_ext.checkpoint.starting.layouts import TIMM_VIT, rules


def _choose(state: State) -> Choice:
    options = vit_options(state, "base.") | classes(state, "classifier.weight")
    options |= grid_options(state["base.pos_embed"].shape[-2] - 1)
    height, width = options["model.backbone.img_size"]
    assumed = f"{height} x {width}, bilinear by Pillow; mean and std 0.5; before the neck"
    return Choice("transreid_vit_b16", options, assumed)


TRANSREID = Source(
    name="transreid",
    title="TransReID",
    signs=((r"^base\.blocks\.0\.attn\.qkv\.",),),
    renaming=always(
        behind(
            "base.",
            TIMM_VIT,
            rules((r"^bottleneck\.", "head.neck."), (r"^classifier\.", "head.classifier.")),
        )
    ),
    choose=_choose,
    dropped=(Named(r"^base\.(fc|head)\.", "ImageNet's classifier"),),
    refused=(
        Named(r"^base\.(sie|cam|view|cv)_embed", "embeddings of cameras (SIE), which ours lacks"),
        Named(r"^(b\d|bottleneck_\d|classifier_\d)\.", "the jigsaw branch (JPM), which ours lacks"),
    ),
)
