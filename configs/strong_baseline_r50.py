# The standard baseline: no warm-up, no random erasing, plain cross-entropy, no neck.
_base_ = [
    "_base_/models/resnet50_plain.py",
    "_base_/datasets/market1501.py",
    "_base_/schedules/strong_baseline.py",
    "_base_/epoch_runtime.py",
]

train_pipeline = [
    dict(
        type="mmreid_ext.PackForDevice",
        augments=[
            dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
            dict(type="mmreid_ext.PadCrop", padding=10),
        ],
    ),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

param_scheduler = [dict(type="MultiStepLR", by_epoch=True, milestones=[39, 69], gamma=0.1)]
