# MetaBIN on a laptop: ResNet-18 from scratch, 150 identities of Market-1501 at 128 x 64, cameras as
# domains.
#   tools/dist_train.sh configs/metabin_r18_market150.py 2
_base_ = [
    "_base_/models/resnet50_bin.py",
    "_base_/datasets/market150.py",
    "_base_/default_runtime.py",
]

model = dict(
    backbone=dict(depth=18, strides=(1, 2, 2, 2), init_cfg=None),
    head=dict(num_classes=150, in_channels=512),
)

max_iters = 1000
optim_wrapper = dict(
    constructor="mmreid_ext.ReIDOptimWrapperConstructor",
    optimizer=dict(type="Adam", lr=7e-4, weight_decay=5e-4),
)
param_scheduler = [
    dict(type="LinearLR", by_epoch=False, start_factor=0.1, begin=0, end=100),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=100, end=max_iters, eta_min_ratio=0.01),
]

train_cfg = dict(
    type="mmreid_ext.MetaBINTrainLoop",
    max_iters=max_iters,
    val_interval=max_iters,
    meta_dataloader={{_base_.meta_dataloader}},
    gate_lr=0.2,
    inner_ratio=dict(low=0.001, high=0.1, period=250),
)
default_hooks = dict(checkpoint=dict(interval=400))
