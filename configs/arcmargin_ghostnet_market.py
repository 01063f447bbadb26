# ArcMargin with GhostNet x1.0, 2.7 million parameters. ImageNet weights of the authors' release
# and of timm load unchanged:
#   python tools/train.py configs/arcmargin_ghostnet_market.py --init-weights FILE
_base_ = [
    "_base_/models/ghostnet_arcmargin.py",
    "_base_/datasets/market1501_square.py",
    "_base_/schedules/arcmargin.py",
    "_base_/default_runtime.py",
]
