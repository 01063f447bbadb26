# The laptop cut of Market-1501 for embeddings: 150 training identities, single images at 128 x 64,
# random crops in the shape of the whole picture. It tests on the first 150 query identities twice:
# by Market's protocol, and every image against all others.
_base_ = ["market150.py"]

train_pipeline = [
    dict(
        type="RandomResizedCrop",
        scale=(128, 64),  # (height, width), unlike Resize
        crop_ratio_range=(0.4, 1.0),
        aspect_ratio_range=(3 / 8, 2 / 3),
        interpolation="lanczos",
    ),
    dict(
        type="mmreid_ext.PackForDevice", augments=[dict(type="mmreid_ext.HorizontalFlip", prob=0.5)]
    ),
]
train_dataloader = dict(
    batch_size=64,
    sampler=dict(num_instances=1, strategy="remaining_weighted"),
    dataset=dict(loader=dict(_delete_=True, type="LoadImageFromFile"), pipeline=train_pipeline),
)
val_dataloader = dict(
    dataset=dict(
        sources=[
            dict(type="mmreid_ext.Market1501", max_identities=150),
            dict(
                type="mmreid_ext.Market1501",
                name="market1501_self",
                protocol=dict(type="self_retrieval", ranks=(1, 5, 10, 20)),
                max_identities=150,
            ),
        ],
        loader=dict(interpolation="lanczos"),
    )
)
test_dataloader = val_dataloader
