# XBM on a laptop: a narrow ResNet-18 from scratch on handwritten characters, batches of 16 with a
# memory of the training set's size. tools/train.py configs/xbm_r18_omniglot.py
_base_ = [
    "_base_/models/resnet50_xbm.py",
    "_base_/datasets/omniglot.py",
    "_base_/default_runtime.py",
]

model = dict(
    backbone=dict(depth=18, stem_channels=32, base_channels=32, init_cfg=None),
    head=dict(
        in_channels=256,
        losses=dict(xbm=dict(memory_size=2720, start_iter=200)),
    ),
)

max_iters = 1200
optim_wrapper = dict(optimizer=dict(type="Adam", lr=1e-3, weight_decay=5e-4))
param_scheduler = [
    dict(type="MultiStepLR", by_epoch=False, milestones=[900], gamma=0.1),
]
train_cfg = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=max_iters, val_interval=max_iters)
