# ArcMargin on a laptop: a ResNet-18 of half the width from scratch, 150 identities of Market-1501
# at 128 x 64.
#   tools/train.py configs/arcmargin_r18_market150.py --amp
_base_ = [
    "_base_/models/resnet50vd_arcmargin.py",
    "_base_/datasets/market150_arcmargin.py",
    "_base_/default_runtime.py",
]

model = dict(
    channels_last=True,
    backbone=dict(type="ResNet", depth=18, stem_channels=32, base_channels=32, init_cfg=None),
    head=dict(in_channels=256, num_classes=150),
)

# The published SGD wants pretrained weights; from scratch, Adam with a short warm-up.
max_iters = 900
optim_wrapper = dict(optimizer=dict(type="Adam", lr=1e-3, weight_decay=5e-4))
param_scheduler = [
    dict(type="LinearLR", by_epoch=False, start_factor=0.1, begin=0, end=90),
    dict(
        type="CosineAnnealingLR",
        by_epoch=False,
        begin=90,
        end=max_iters,
        T_max=max_iters - 90,
        eta_min_ratio=0.01,
    ),
]
train_cfg = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=max_iters, val_interval=max_iters)
