# Cross-entropy on the training classes. xbm_r18_omniglot.py and contrastive_r18_omniglot.py start
# from its weights, as the published recipe starts from ImageNet's.
_base_ = ["xbm_r18_omniglot.py"]

model = dict(
    head=dict(
        num_classes=136,
        losses=dict(_delete_=True, ce=dict(type="mmreid_ext.LabelSmoothingLoss")),
    )
)
train_dataloader = dict(batch_size=32, sampler=dict(num_instances=2))

max_iters = 600
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [dict(type="MultiStepLR", by_epoch=False, milestones=[450], gamma=0.1)]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
