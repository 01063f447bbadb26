"""Checkpoints of CLIP-ReID's ViT: the feature and its projection, both compared.

S. Li, L. Sun, Q. Li, "CLIP-ReID: Exploiting Vision-Language Model for Image Re-Identification
without Concrete Text Labels", AAAI 2023, https://arxiv.org/abs/2211.13977,
https://github.com/Syliz517/CLIP-ReID. Its text encoder serves its training alone.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmreid_ext.checkpoint.converting.patches import grid_options
from mmreid_ext.checkpoint.converting.shapes import classes, count_blocks
from mmreid_ext.checkpoint.converting.source import (
    TRAINING,
    Choice,
    Named,
    Source,
    State,
    always,
    behind,
)
from mmreid_ext.checkpoint.starting.layouts import rules

_IMAGE = "image_encoder."
_TABLE = f"{_IMAGE}positional_embedding"
_HIDDEN = f"{_IMAGE}transformer.resblocks.0.mlp.c_fc.weight"
_PROJECTION = f"{_IMAGE}proj"
_JOINED = (("bottleneck", 0), ("classifier", 1))
"""Parts that CLIP-ReID has twice and ours once, and the axis along which they are joined."""


def _joined(state: State) -> dict[str, Tensor]:
    changed = dict(state)
    for part, axis in _JOINED:
        for name in [name for name in state if name.startswith(f"{part}.")]:
            second = changed.pop(name.replace(part, f"{part}_proj", 1), None)
            if second is not None and state[name].dim() > axis:
                changed[name] = torch.cat([state[name], second], axis)
    width = state[_TABLE].shape[-1]
    changed[_TABLE] = state[_TABLE].reshape(1, -1, width)
    token = f"{_IMAGE}class_embedding"
    changed[token] = state[token].reshape(1, 1, width)
    changed["neck.projection.weight"] = changed.pop(_PROJECTION).T.contiguous()
    return changed


def _choose(state: State) -> Choice:
    hidden, width = state[_HIDDEN].shape
    size = state[_PROJECTION].shape[1]
    options: dict[str, Any] = {
        "model.backbone.arch": dict(
            embed_dims=width,
            num_layers=count_blocks(state, r"image_encoder\.transformer\.resblocks"),
            num_heads=max(width // 64, 1),
            feedforward_channels=hidden,
        ),
        "model.neck.in_channels": width,
        "model.neck.projected_channels": size,
        "model.head.in_channels": width + size,
    }
    options |= classes(state, "classifier.weight") | grid_options(len(state[_TABLE]) - 1)
    height, wide = options["model.backbone.img_size"]
    assumed = f"{height} x {wide}, bilinear by Pillow; mean and std 0.5; before the necks"
    return Choice("clip_reid_vit_b16", options, assumed)


CLIP_REID = Source(
    name="clip-reid",
    title="CLIP-ReID",
    signs=((r"^image_encoder\.(conv1|transformer)\.",),),
    renaming=always(
        behind(
            _IMAGE,
            rules(
                (r"^conv1\.", "patch_embed.projection."),
                (r"^class_embedding$", "cls_token"),
                (r"^positional_embedding$", "pos_embed"),
                (r"^ln_pre\.", "pre_norm."),
                (r"^ln_post\.", "ln1."),
                (r"^transformer\.resblocks\.", "layers."),
                (r"\.ln_([12])\.", r".ln\1."),
                (r"\.attn\.in_proj_", ".attn.qkv."),
                (r"\.attn\.out_proj\.", ".attn.proj."),
                (r"\.mlp\.c_fc\.", ".ffn.layers.0.0."),
                (r"\.mlp\.c_proj\.", ".ffn.layers.1."),
            ),
            rules((r"^bottleneck\.", "head.neck."), (r"^classifier\.", "head.classifier.")),
        )
    ),
    choose=_choose,
    change=_joined,
    dropped=(Named(r"^(prompt_learner|text_encoder)\.|logit_scale", TRAINING),),
    refused=(
        Named(r"^cv_embed", "embeddings of cameras (SIE), which ours lacks"),
        Named(r"^image_encoder\.(layer\d|attnpool)\.", "CLIP's ResNet, which ours lacks"),
    ),
)
