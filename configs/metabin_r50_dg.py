# MetaBIN for domain generalisation. It trains on all images of several data sets, one domain each,
# and tests on four small unseen sets, ten random splits each. The authors of DukeMTMC-reID, the
# fifth source of the paper, withdrew it. If you have it, add
# dict(type='mmreid_ext.DukeMTMC', combine_all=True).
#   tools/dist_train.sh configs/metabin_r50_dg.py 4 --amp
_base_ = [
    "_base_/models/resnet50_bin.py",
    "_base_/datasets/domain_generalization.py",
    "_base_/schedules/metabin_dg.py",
    "_base_/default_runtime.py",
]

model = dict(head=dict(num_classes=16718))

train_cfg = dict(
    type="mmreid_ext.MetaBINTrainLoop",
    max_iters={{_base_.max_iters}},
    val_interval={{_base_.val_interval}},
    meta_dataloader={{_base_.meta_dataloader}},
    gate_lr=0.1,
    inner_ratio={{_base_.inner_ratio}},
    loss_sets="multi_source",
)
