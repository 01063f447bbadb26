# 120 epochs of Adam with coupled weight decay. The learning rate in epoch 1, 2, ... is 3.5e-4 times
# 0.109, 0.208, ..., 0.901 in the nine epochs of warm-up, 1 from the tenth, 0.1 from the 40th and
# 0.01 from the 70th. The reference computes the warm-up as 0.01 + 0.99 * epoch / 10.
max_epochs = 120
train_cfg = dict(type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=max_epochs, val_interval=40)

optim_wrapper = dict(
    constructor="mmreid_ext.ReIDOptimWrapperConstructor",
    optimizer=dict(type="Adam", lr=3.5e-4, weight_decay=5e-4),
)
param_scheduler = [
    dict(type="LinearLR", by_epoch=True, start_factor=0.109, begin=0, end=10),
    dict(type="MultiStepLR", by_epoch=True, milestones=[39, 69], gamma=0.1),
]
