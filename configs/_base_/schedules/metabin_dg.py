# The official schedule of MetaBIN for several sources: 100 epochs at batch 80, warm-up over 10,
# decay at 40 and 70, gate_lr 0.1.
#
# The length of an epoch is E = floor(S / 80) - 1. S counts the images, rounded up per identity to a
# multiple of 4. The published numbers of images / identities are: CUHK02 7,264 / 1,816, CUHK03
# 14,097 / 1,467, Market-1501 29,419 / 1,501, DukeMTMC-reID 36,411 / 1,812, CUHK-SYSU
# 34,574 / 11,934. Rounding adds about 1.5 images per identity (none for CUHK02, which has exactly 4
# each), so S is about 146,836 and E 1,834. This estimate is good to a few percent.
# Without DukeMTMC-reID, E is about 1,345; the schedule keeps the published number of steps.
iters_per_epoch = 1834
max_iters = 100 * iters_per_epoch  # 183,400
val_interval = 10 * iters_per_epoch
inner_ratio = dict(low=0.001, high=0.1, period=5 * iters_per_epoch)
milestones = [40 * iters_per_epoch, 70 * iters_per_epoch]

optim_wrapper = dict(
    constructor="mmreid_ext.ReIDOptimWrapperConstructor",
    optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2.0),
)
param_scheduler = [
    dict(type="LinearLR", by_epoch=False, start_factor=0.01, begin=0, end=10 * iters_per_epoch + 1),
    dict(type="MultiStepLR", by_epoch=False, milestones=milestones, gamma=0.1),
]
