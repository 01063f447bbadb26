# strong_baseline_r50_softmax_triplet.py, tested with single queries and with multi-query.
#   python tools/test.py configs/strong_baseline_r50_multi_query.py CHECKPOINT
_base_ = [
    "_base_/models/resnet50_bnneck.py",
    "_base_/datasets/market1501_multi_query.py",
    "_base_/schedules/strong_baseline.py",
    "_base_/epoch_runtime.py",
]
