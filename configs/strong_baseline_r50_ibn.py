# The strong baseline on ResNet-50-IBN-a. For a local copy of the weights, set
# `model.backbone.init_cfg.checkpoint`.
_base_ = ["strong_baseline_r50_softmax_triplet.py"]

model = dict(
    backbone=dict(
        type="mmreid_ext.ResNetIBN",
        init_cfg=dict(
            type="Pretrained",
            checkpoint="https://github.com/XingangPan/IBN-Net/releases/download/v1.0/"
            "resnet50_ibn_a-d9d0bb7b.pth",
        ),
    )
)
