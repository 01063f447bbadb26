# DINOv2 ViT-S/14, fine-tuned at 252 x 126 (18 x 9 patches).
_base_ = ["strong_baseline_vit_s16.py"]

model = dict(
    backbone=dict(
        arch="dinov2-small",
        img_size=(252, 126),
        patch_size=14,
        layer_scale_init_value=1e-5,
        init_cfg=dict(
            checkpoint="https://download.openmmlab.com/mmpretrain/v1.0/dinov2/"
            "vit-small-p14_dinov2-pre_3rdparty_20230426-5641ca5a.pth",
        ),
    ),
)

# Width and height.
train_dataloader = dict(dataset=dict(loader=dict(scale=(126, 252))))
val_dataloader = dict(dataset=dict(loader=dict(scale=(126, 252))))
test_dataloader = val_dataloader
