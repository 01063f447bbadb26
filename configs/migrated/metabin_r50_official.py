# A ResNet of the official MetaBIN code, converted by
#   python tools/convert.py model_final.pth --from metabin --out metabin.pth
# and tested on its four unseen sets with bicubic resizing by Pillow.
_base_ = ["../metabin_r50_dg.py"]

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
