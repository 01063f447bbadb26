# The published schedule of XBM: Adam with coupled weight decay on everything, the learning rate cut
# by ten when R@1 stops rising. The plateau scheduler steps at each validation, in spite of its
# `by_epoch`; `monitor` names the metric of the configuration's test set.
max_iters = 35000
val_interval = 1000

optim_wrapper = dict(optimizer=dict(type="Adam", lr=1e-4, weight_decay=5e-4))
param_scheduler = [
    dict(
        type="ReduceOnPlateauLR",
        monitor="sop/R1",
        rule="greater",
        factor=0.1,
        patience=4,
        threshold=0.001,
        threshold_rule="rel",
        cooldown=2,
        min_value=5e-6,
    )
]
train_cfg = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=max_iters, val_interval=val_interval)
