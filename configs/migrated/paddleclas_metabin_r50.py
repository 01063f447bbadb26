# MetaBIN of PaddleClas (MetaBIN_ResNet50_cross_domain), converted by
#   python tools/convert.py latest.pdparams --from paddleclas --out metabin.pth
# and tested as there: bicubic by Pillow, after the neck.
_base_ = ["../metabin_r50.py"]

# Scale is width and height.
test_pipeline = [
    dict(type="Resize", scale=(128, 256), interpolation="bicubic", backend="pillow"),
    dict(type="mmreid_ext.PackReIDInputs"),
]
model = dict(backbone=dict(init_cfg=None))
val_dataloader = dict(
    dataset=dict(
        loader=dict(_delete_=True, type="LoadImageFromFile", imdecode_backend="pillow"),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
