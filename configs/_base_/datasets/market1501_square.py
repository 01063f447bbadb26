# Market-1501 as PaddleCV's metric learning reads images. Training resizes random crops to a square.
# Testing resizes the short side and cuts out the centre, so a 1:2 box loses head and feet. It tests
# by Market's protocol, and every image against all others.
_base_ = ["evaluation_loader.py"]

train_pipeline = [
    dict(
        type="RandomResizedCrop",
        scale=128,
        crop_ratio_range=(0.08, 1.0),
        aspect_ratio_range=(3 / 4, 4 / 3),
        interpolation="lanczos",
    ),
    dict(
        type="mmreid_ext.PackForDevice", augments=[dict(type="mmreid_ext.HorizontalFlip", prob=0.5)]
    ),
]
test_pipeline = [
    dict(type="ResizeEdge", scale=128, edge="short", interpolation="lanczos"),
    dict(type="CenterCrop", crop_size=128),
    dict(type="mmreid_ext.PackReIDInputs"),
]

# One image per draw: a pass over all images, with different identities in a batch.
train_dataloader = dict(
    batch_size=256,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    collate_fn=dict(type="mmreid_ext.reid_collate"),
    sampler=dict(
        type="mmreid_ext.PKSampler",
        num_instances=1,
        strategy="remaining_weighted",
    ),
    dataset=dict(type="mmreid_ext.Market1501", mode="train", pipeline=train_pipeline),
)

val_dataloader = dict(
    batch_size=256,
    dataset=dict(
        sources=[
            dict(type="mmreid_ext.Market1501"),
            dict(
                type="mmreid_ext.Market1501",
                name="market1501_self",
                protocol=dict(type="self_retrieval", ranks=(1, 5, 10, 20)),
            ),
        ],
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
