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

train_pipeline = [
    dict(type="mmreid_ext.LoadResized", scale=(126, 252), interpolation="bilinear"),  # (W, H)
    dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
    dict(type="mmreid_ext.PadCrop", padding=10),
    dict(type="mmreid_ext.UniformAspectRandomErasing", prob=0.5),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys={{_base_.meta_keys}}),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(126, 252), interpolation="bilinear"),
    dict(type="mmreid_ext.PackReIDInputs", meta_keys={{_base_.meta_keys}}),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
