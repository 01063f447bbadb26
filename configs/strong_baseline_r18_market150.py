# The plain baseline on a laptop: no erasing, no label smoothing, no neck, last stride 2.
_base_ = [
    "_base_/models/resnet50_plain.py",
    "_base_/datasets/market150_baseline.py",
    "_base_/schedules/strong_baseline_laptop.py",
    "_base_/epoch_runtime.py",
]

model = dict(
    channels_last=True,
    backbone=dict(depth=18, init_cfg=None),
    head=dict(num_classes=150, in_channels=512),
)
train_pipeline = [
    dict(
        type="mmreid_ext.PackForDevice",
        augments=[
            dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
            dict(type="mmreid_ext.PadCrop", padding=5),
        ],
    ),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
