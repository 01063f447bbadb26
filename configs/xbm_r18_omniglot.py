# XBM on a laptop: a narrow ResNet-18 on handwritten characters, with batches of 16 and a memory as
# large as the training set. Like the published recipe, it starts from trained weights:
#   tools/train.py configs/softmax_r18_omniglot.py
#   tools/train.py configs/xbm_r18_omniglot.py \
#       --cfg-options load_from=work_dirs/softmax_r18_omniglot/iter_600.pth
_base_ = [
    "_base_/models/resnet50_xbm.py",
    "_base_/datasets/omniglot.py",
    "_base_/default_runtime.py",
]

model = dict(
    backbone=dict(depth=18, stem_channels=16, base_channels=16, init_cfg=None),
    head=dict(
        in_channels=128,
        # At weight 1 the memory's loss is twenty times the batch's and drowns it.
        losses=dict(xbm=dict(memory_size=2720, start_iter=50, memory_weight=0.1)),
    ),
)

max_iters = 300
optim_wrapper = dict(optimizer=dict(type="Adam", lr=3e-4, weight_decay=5e-4))
param_scheduler = [dict(type="MultiStepLR", by_epoch=False, milestones=[200], gamma=0.1)]
train_cfg = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=max_iters, val_interval=max_iters)
