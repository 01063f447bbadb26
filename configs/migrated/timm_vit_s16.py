# timm's vision transformers of augreg (vit_small_patch16_224 and relatives): mean and standard
# deviation 0.5. For DeiT's weights use those of ImageNet, model.data_preprocessor=None.
_base_ = ["torchvision_vit_b16.py"]

model = dict(
    backbone=dict(arch="deit-small"),
    head=dict(in_channels=384),
    data_preprocessor=dict(
        type="mmreid_ext.ReIDDataPreprocessor",
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        to_rgb=True,
    ),
)
test_pipeline = [
    dict(type="Resize", scale=(224, 224), interpolation="bicubic", backend="pillow"),
    dict(type="mmreid_ext.PackReIDInputs"),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
