# XBM on Stanford Online Products: contrastive loss in the batch and against a memory of 55,000
# embeddings.
#   tools/dist_train.sh configs/xbm_r50_sop.py 4
_base_ = [
    "_base_/models/resnet50_xbm.py",
    "_base_/datasets/sop.py",
    "_base_/schedules/xbm.py",
    "_base_/default_runtime.py",
]

default_hooks = dict(checkpoint=dict(save_best="sop/R1", rule="greater"))
