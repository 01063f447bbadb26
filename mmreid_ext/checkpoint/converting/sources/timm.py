"""Weights of timm: ResNet, ResNet-D and vision transformers (DeiT, DINOv2).

R. Wightman, "PyTorch Image Models", https://github.com/huggingface/pytorch-image-models. timm's
plain ResNet has the names of torchvision's; give ``--from timm`` for its interpolation.
"""

from __future__ import annotations

import math

from mmreid_ext.checkpoint.converting.shapes import resnet_options, vit_options
from mmreid_ext.checkpoint.converting.source import Choice, Named, Source, State, behind
from mmreid_ext.checkpoint.starting.layouts import TIMM_RESNET_D, TIMM_VIT, Translation, rules

_TABLE = "pos_embed"
_DEEP_STEM = "conv1.0.weight"


def _renaming(state: State) -> Translation:
    if _TABLE in state:
        return behind("", TIMM_VIT, rules())
    return behind("", TIMM_RESNET_D if _DEEP_STEM in state else rules(), rules())


def _choose(state: State) -> Choice:
    if _TABLE not in state:
        options = resnet_options(state)
        kind = "d" if _DEEP_STEM in state else ""
        return Choice(f"timm_r50{kind}", options, "last stride 2; 256 x 128, bicubic by Pillow")
    patch = state["patch_embed.proj.weight"].shape[-1]
    side = math.isqrt(state[_TABLE].shape[1] - 1) * patch
    options = vit_options(state)
    options |= {"model.backbone.patch_size": patch, "model.backbone.img_size": (side, side)}
    assumed = f"{side} x {side}, bicubic by Pillow"
    if "blocks.0.ls1.gamma" in state:
        return Choice("timm_dinov2_s14", options, assumed)
    assumed += "; mean and standard deviation 0.5, those of augreg (DeiT's are ImageNet's)"
    return Choice("timm_vit_s16", options, assumed)


TIMM = Source(
    name="timm",
    title="timm",
    signs=(
        (r"^blocks\.0\.attn\.qkv\.", r"^patch_embed\.proj\."),
        (r"^conv1\.0\.weight$", r"^layer1\.0\.conv1\."),
    ),
    renaming=_renaming,
    choose=_choose,
    dropped=(Named(r"^(fc|head)\.", "ImageNet's classifier"),),
    refused=(
        Named(r"^(dist_token|head_dist)", "DeiT's distillation token"),
        Named(r"^reg_token", "registers of DINOv2"),
    ),
)
