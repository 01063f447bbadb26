# MetaBIN as published for a single source: ResNet-50 trains on Market-1501 with its six cameras as
# domains, and is tested on Market-1501 and the unseen VIPeR. The global batch is 96 on 1, 2 or 4
# ranks.
#   tools/dist_train.sh configs/metabin_r50.py 4 --amp
_base_ = [
    "_base_/models/resnet50_bin.py",
    "_base_/datasets/market1501_camera_domains.py",
    "_base_/schedules/metabin_market.py",
    "_base_/default_runtime.py",
]

# A known domain and an unseen one. Delete VIPeR here if you don't have it.
test_sets = [dict(type="mmreid_ext.Market1501"), dict(type="mmreid_ext.VIPeR")]
val_dataloader = dict(dataset=dict(sources=test_sets))
test_dataloader = dict(dataset=dict(sources=test_sets))

train_cfg = dict(
    type="mmreid_ext.MetaBINTrainLoop",
    max_iters={{_base_.max_iters}},
    val_interval={{_base_.val_interval}},
    meta_dataloader={{_base_.meta_dataloader}},
    gate_lr=0.2,
    inner_ratio={{_base_.inner_ratio}},
)
