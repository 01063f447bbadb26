# ArcMargin with GhostNet x1.0 for trackers: whole boxes at 256 x 128 in place of the reference's
# square crops (arcmargin_ghostnet_market.py). ImageNet weights load as there:
#   python tools/train.py configs/arcmargin_ghostnet_market_256x128.py \
#       --init-weights FILE
_base_ = [
    "_base_/models/ghostnet_arcmargin.py",
    "_base_/datasets/market1501_upright.py",
    "_base_/schedules/arcmargin.py",
    "_base_/default_runtime.py",
]
