# timm's DINOv2 (vit_small_patch14_dinov2): 518 x 518 pixels, mean and standard deviation of
# ImageNet.
_base_ = ["timm_vit_s16.py"]

model = dict(
    backbone=dict(
        arch="dinov2-small", img_size=(518, 518), patch_size=14, layer_scale_init_value=1e-5
    ),
    data_preprocessor=None,
)
test_pipeline = [
    dict(type="Resize", scale=(518, 518), interpolation="bicubic", backend="pillow"),
    dict(type="mmreid_ext.PackReIDInputs"),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
