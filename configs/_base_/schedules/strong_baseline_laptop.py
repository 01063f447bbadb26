# The strong baseline for networks from scratch, a quarter of an hour on two cores. The learning
# rate is higher than with ImageNet weights; warm-up over two epochs, then a cosine down
# to a hundredth.
max_epochs = 40
train_cfg = dict(
    type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=max_epochs, val_interval=max_epochs
)

optim_wrapper = dict(
    constructor="mmreid_ext.ReIDOptimWrapperConstructor",
    optimizer=dict(type="Adam", lr=1e-3, weight_decay=5e-4),
)
param_scheduler = [
    dict(
        type="LinearLR",
        by_epoch=True,
        convert_to_iter_based=True,
        start_factor=0.1,
        begin=0,
        end=2,
    ),
    dict(
        type="CosineAnnealingLR",
        by_epoch=True,
        convert_to_iter_based=True,
        begin=2,
        end=max_epochs,
        T_max=max_epochs - 2,
        eta_min_ratio=0.01,
    ),
]
