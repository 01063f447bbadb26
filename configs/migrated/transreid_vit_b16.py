# TransReID's ViT baseline (vit_base, deit_small, overlapping patches), converted by
#   python tools/convert.py transformer_120.pth --from transreid --out transreid.pth
# and tested as there: bilinear, mean and standard deviation 0.5, before the neck.
_base_ = [
    "../_base_/models/resnet50_bnneck.py",
    "../_base_/datasets/market1501_pillow.py",
    "../_base_/schedules/strong_baseline_vit.py",
    "../_base_/epoch_runtime.py",
]

model = dict(
    backbone=dict(
        _delete_=True,
        type="VisionTransformer",
        arch="deit-base",
        img_size=(256, 128),
        patch_size=16,
        out_type="cls_token",
    ),
    neck=None,
    stem_relu=True,
    head=dict(in_channels=768, test_feature="feats"),
    data_preprocessor=dict(
        type="mmreid_ext.ReIDDataPreprocessor",
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        to_rgb=True,
    ),
)
