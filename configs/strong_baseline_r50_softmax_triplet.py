# The strong baseline: warm-up, random erasing, label smoothing, last stride 1, batch-norm neck.
#   tools/dist_train.sh configs/strong_baseline_r50_softmax_triplet.py 4
_base_ = [
    "_base_/models/resnet50_bnneck.py",
    "_base_/datasets/market1501.py",
    "_base_/schedules/strong_baseline.py",
    "_base_/epoch_runtime.py",
]
