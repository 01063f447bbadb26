# Stanford Online Products with the transforms and the sampler of XBM: batches of 16 classes x 4
# images, classes drawn in proportion to their remaining groups. The test images are queries and
# gallery at once.
_base_ = ["evaluation_loader.py"]

train_pipeline = [
    dict(type="ResizeEdge", scale=256, edge="short"),
    dict(type="RandomResizedCrop", scale=224, crop_ratio_range=(0.2, 1.0)),
    dict(
        type="mmreid_ext.PackForDevice", augments=[dict(type="mmreid_ext.HorizontalFlip", prob=0.5)]
    ),
]
test_pipeline = [
    dict(type="ResizeEdge", scale=256, edge="short"),
    dict(type="CenterCrop", crop_size=224),
    dict(type="mmreid_ext.PackReIDInputs"),
]

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type="mmreid_ext.PKSampler", num_instances=4, strategy="remaining_weighted"),
    dataset=dict(type="mmreid_ext.SOP", mode="train", pipeline=train_pipeline),
)
val_dataloader = dict(
    dataset=dict(
        sources=[dict(type="mmreid_ext.SOP")],
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
