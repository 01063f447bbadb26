# MetaBIN as published for a single source: ResNet-50, Market-1501 with its six cameras as domains,
# tested on Market-1501 and on VIPeR, which it has not seen. A global batch of 96 serves 1, 2 or 4
# ranks. tools/dist_train.sh configs/metabin_r50.py 4 --amp
_base_ = [
    '_base_/models/metabin_r50.py',
    '_base_/datasets/market1501_camera_domains.py',
    '_base_/schedules/metabin_market.py',
    '_base_/default_runtime.py',
]

train_cfg = dict(
    type='mmreid_ext.MetaBINTrainLoop',
    max_iters={{_base_.max_iters}},
    val_interval={{_base_.val_interval}},
    meta_dataloader={{_base_.meta_dataloader}},
    gate_lr=0.2,
    inner_ratio=dict(low=0.001, high=0.1, period=725))
