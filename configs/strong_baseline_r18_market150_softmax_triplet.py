# The strong baseline on a laptop: ResNet-18 from scratch, 150 identities of Market-1501, 128 x 64.
_base_ = [
    "_base_/models/resnet50_bnneck.py",
    "_base_/datasets/market150_baseline.py",
    "_base_/schedules/strong_baseline_laptop.py",
    "_base_/epoch_runtime.py",
]

model = dict(
    channels_last=True,
    backbone=dict(depth=18, init_cfg=None),
    head=dict(num_classes=150, in_channels=512),
)
