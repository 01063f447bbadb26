# Market-1501 for trackers: whole upright boxes at 256 x 128, head and feet included. Training takes
# random crops in the shape of the box. Batches and test sets are those of market1501_square.py.
_base_ = ["market1501_square.py"]

# Scale is width and height.
image_loader = dict(type="mmreid_ext.LoadResized", scale=(128, 256), interpolation="lanczos")
train_pipeline = [
    dict(
        type="RandomResizedCrop",
        scale=(256, 128),  # (height, width), unlike Resize
        crop_ratio_range=(0.4, 1.0),
        aspect_ratio_range=(3 / 8, 2 / 3),
        interpolation="lanczos",
    ),
    dict(
        type="mmreid_ext.PackForDevice", augments=[dict(type="mmreid_ext.HorizontalFlip", prob=0.5)]
    ),
]
test_pipeline = [dict(type="mmreid_ext.PackReIDInputs")]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(loader=image_loader, pipeline=test_pipeline))
test_dataloader = val_dataloader
