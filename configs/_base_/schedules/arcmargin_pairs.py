# Fine-tuning with pairs: SGD as for ArcMargin at a thousandth of its learning rate, cut by ten
# after 3,000, 6,000 and 9,000 of 10,000 iterations.
max_iters = 10000

optim_wrapper = dict(optimizer=dict(type="SGD", lr=1e-4, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type="MultiStepLR", by_epoch=False, milestones=[3000, 6000, 9000], gamma=0.1),
]
train_cfg = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=max_iters, val_interval=2000)
