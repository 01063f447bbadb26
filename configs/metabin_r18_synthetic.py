# MetaBIN on procedural pedestrians. It needs no data set and no GPU, trains on four domains and
# tests on a fifth.
#   python tools/make_synthetic.py --out data/synthetic --domains 5 --ids 100
#   python tools/train.py configs/metabin_r18_synthetic.py
_base_ = [
    "_base_/models/resnet50_bin.py",
    "_base_/datasets/synthetic.py",
    "_base_/default_runtime.py",
]

model = dict(
    backbone=dict(depth=18, strides=(1, 2, 2, 1), init_cfg=None),
    head=dict(num_classes=200, in_channels=512),
)

max_iters = 300
optim_wrapper = dict(
    constructor="mmreid_ext.ReIDOptimWrapperConstructor",
    optimizer=dict(type="Adam", lr=7e-4, weight_decay=5e-4),
)
param_scheduler = [
    dict(type="LinearLR", by_epoch=False, start_factor=0.1, begin=0, end=30),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=30, end=max_iters, eta_min_ratio=0.01),
]

train_cfg = dict(
    type="mmreid_ext.MetaBINTrainLoop",
    max_iters=max_iters,
    val_interval=max_iters,
    meta_dataloader={{_base_.meta_dataloader}},
    gate_lr=2.0,  # ten times the published rate: the run has a sixtieth of the iterations
    inner_ratio=dict(low=0.001, high=0.1, period=75),
    loss_sets="multi_source",
)
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=100))
