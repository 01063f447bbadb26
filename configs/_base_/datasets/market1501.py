# Market-1501 for supervised re-ID: 16 identities x 4 images, bilinear resizing, flip, crop, random
# erasing. MMREID_DATA_ROOT names the folder of all data sets (default: ./data).
_base_ = ["evaluation_loader.py"]

# Scale is width and height.
image_loader = dict(type="mmreid_ext.LoadResized", scale=(128, 256), interpolation="bilinear")
train_pipeline = [
    dict(
        type="mmreid_ext.PackForDevice",
        augments=[
            dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
            dict(type="mmreid_ext.PadCrop", padding=10),
            dict(type="mmreid_ext.UniformAspectRandomErasing", prob=0.5),
        ],
    ),
]
test_pipeline = [dict(type="mmreid_ext.PackReIDInputs")]

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(
        type="mmreid_ext.PKSampler",
        num_instances=4,
        strategy="exhaustive_drop",
    ),
    dataset=dict(
        type="mmreid_ext.Market1501", mode="train", loader=image_loader, pipeline=train_pipeline
    ),
)

val_dataloader = dict(
    dataset=dict(
        sources=[dict(type="mmreid_ext.Market1501")],
        loader=image_loader,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
