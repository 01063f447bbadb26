# A plain ViT-S/16 (DeiT weights) under the head of the strong baseline; only the neck has batch
# norm.
_base_ = [
    "_base_/models/resnet50_bnneck.py",
    "_base_/datasets/market1501.py",
    "_base_/schedules/strong_baseline_vit.py",
    "_base_/epoch_runtime.py",
]

model = dict(
    backbone=dict(
        _delete_=True,
        type="VisionTransformer",
        arch="deit-small",
        img_size=(256, 128),  # (height, width)
        patch_size=16,
        out_type="cls_token",
        drop_path_rate=0.1,
        init_cfg=dict(
            type="Pretrained",
            prefix="backbone.",
            checkpoint="https://download.openmmlab.com/mmclassification/v0/deit/"
            "deit-small_pt-4xb256_in1k_20220218-9425b9bb.pth",
        ),
    ),
    neck=None,
    stem_relu=True,
    head=dict(in_channels=384),
)
