# Market-1501, resized by Pillow with a bilinear filter, as torchvision's transforms do.
_base_ = ["market1501.py"]

test_pipeline = [
    dict(type="Resize", scale=(128, 256), interpolation="bilinear", backend="pillow"),
    dict(type="mmreid_ext.PackReIDInputs"),
]

# Scale is width and height.
val_dataloader = dict(
    dataset=dict(
        loader=dict(_delete_=True, type="LoadImageFromFile", imdecode_backend="pillow"),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
