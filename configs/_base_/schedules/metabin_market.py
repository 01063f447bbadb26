# The official schedule of MetaBIN for Market-1501 as the only source: 120 epochs of 145 iterations
# at batch 96, warm-up over 10 epochs, decay at 50 and 90. The loop has the constant
# learning rate of the gates.
iters_per_epoch = 145
max_iters = 120 * iters_per_epoch  # 17,400
val_interval = 10 * iters_per_epoch
inner_ratio = dict(low=0.001, high=0.1, period=5 * iters_per_epoch)  # PaddleClas: period=2190

# PaddleClas counts these from the end of its warm-up, so it decays after 60 and 100 epochs:
#   tools/train.py configs/metabin_r50.py --cfg-options param_scheduler.1.milestones="[8700,14500]"
milestones = [50 * iters_per_epoch, 90 * iters_per_epoch]

optim_wrapper = dict(
    constructor="mmreid_ext.ReIDOptimWrapperConstructor",
    optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2.0),
)
param_scheduler = [
    # `end` is one past the last warm-up step: iteration 1450 is the first at the full
    # learning rate.
    dict(type="LinearLR", by_epoch=False, start_factor=0.01, begin=0, end=10 * iters_per_epoch + 1),
    dict(type="MultiStepLR", by_epoch=False, milestones=milestones, gamma=0.1),
]
