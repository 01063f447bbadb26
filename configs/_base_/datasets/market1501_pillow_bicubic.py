# Market-1501, resized by Pillow with a bicubic filter.
_base_ = ["market1501_pillow.py"]

# Scale is width and height.
test_pipeline = [
    dict(type="Resize", scale=(128, 256), interpolation="bicubic", backend="pillow"),
    dict(type="mmreid_ext.PackReIDInputs"),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
