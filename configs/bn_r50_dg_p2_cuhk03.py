# metabin_r50_dg_p2_cuhk03.py with plain batch norm and without meta-learning.
_base_ = ["metabin_r50_dg_p2_cuhk03.py"]

model = dict(backbone=dict(norm_cfg=dict(type="mmreid_ext.SyncBN")))
train_cfg = dict(
    _delete_=True,
    type="mmreid_ext.ReIDTrainLoop",
    max_iters={{_base_.max_iters}},
    val_interval={{_base_.val_interval}},
)
