# torchvision's ViT-B/16 as it comes from ImageNet: squares of 224 pixels.
_base_ = ["torchvision_r50.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="VisionTransformer",
        arch="base",
        img_size=(224, 224),
        patch_size=16,
        out_type="cls_token",
    ),
    neck=None,
    head=dict(in_channels=768),
)
test_pipeline = [
    dict(type="Resize", scale=(224, 224), interpolation="bilinear", backend="pillow"),
    dict(type="mmreid_ext.PackReIDInputs"),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
