# The second stage on a laptop: pairs instead of classes. It starts from the checkpoint of
# arcmargin_r18_market150.py. To start from another:
#   tools/train.py configs/arcmargin_r18_market150_eml.py --cfg-options load_from=FILE
_base_ = ["arcmargin_r18_market150.py"]

load_from = "work_dirs/arcmargin_r18_market150/iter_900.pth"

model = dict(
    head=dict(
        num_classes=None,  # no classifier; the first stage's is not loaded
        classifier=None,
        losses=dict(_delete_=True, pair=dict(type="mmreid_ext.EMLLoss")),
    )
)
train_dataloader = dict(sampler=dict(num_instances=4, strategy="id_avg_prob"))

max_iters = 300
optim_wrapper = dict(optimizer=dict(lr=1e-4))
param_scheduler = [
    dict(type="CosineAnnealingLR", by_epoch=False, T_max=max_iters, eta_min_ratio=0.01),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
