"""A vision transformer small enough for tests."""

import torch

from mmreid_ext.models import ReIDModel

HEAD = dict(
    type="mmreid_ext.BNNeckHead",
    num_classes=3,
    losses=dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss")),
)
SMALL_VIT = dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=48)


def vit(size=(64, 32), patch=8):
    backbone = dict(
        type="mmpretrain.VisionTransformer",
        arch=SMALL_VIT,
        img_size=size,
        patch_size=patch,
        out_type="cls_token",
    )
    torch.manual_seed(0)
    return ReIDModel(backbone, dict(HEAD, in_channels=24), neck=None).eval()
