# 60 epochs of AdamW for pre-trained transformers: five of warm-up, then a cosine.
max_epochs = 60
train_cfg = dict(type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=max_epochs, val_interval=20)

optim_wrapper = dict(
    constructor="mmreid_ext.ReIDOptimWrapperConstructor",
    optimizer=dict(type="AdamW", lr=3e-5, weight_decay=0.05),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(
        type="LinearLR",
        by_epoch=True,
        convert_to_iter_based=True,
        start_factor=0.01,
        begin=0,
        end=5,
    ),
    dict(
        type="CosineAnnealingLR",
        by_epoch=True,
        convert_to_iter_based=True,
        begin=5,
        end=max_epochs,
        T_max=max_epochs - 5,
        eta_min_ratio=0.01,
    ),
]
