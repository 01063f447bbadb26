# Adam for 600 iterations: a tenth of them warm-up, then a cosine down to a hundredth.
# A prepared configuration has a number of iterations that fits its pictures.
max_iters = 600
train_cfg = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=max_iters, val_interval=max_iters)

optim_wrapper = dict(
    constructor="mmreid_ext.ReIDOptimWrapperConstructor",
    optimizer=dict(type="Adam", lr=3.5e-4, weight_decay=5e-4),
)
param_scheduler = [
    dict(type="LinearLR", by_epoch=False, start_factor=0.1, begin=0, end=60),
    dict(
        type="CosineAnnealingLR",
        by_epoch=False,
        begin=60,
        end=max_iters,
        T_max=max_iters - 60,
        eta_min_ratio=0.01,
    ),
]
