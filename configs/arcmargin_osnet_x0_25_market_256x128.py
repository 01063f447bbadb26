# ArcMargin with OSNet x0.25 for trackers: 0.2 million parameters, whole boxes at 256 x 128. The
# strong baseline of the same network is strong_baseline_osnet_x0_25.py. torchreid's ImageNet
# weights load unchanged:
#   python tools/train.py configs/arcmargin_osnet_x0_25_market_256x128.py \
#       --init-weights osnet_x0_25_imagenet.pth
_base_ = [
    "_base_/models/osnet_x0_25_arcmargin.py",
    "_base_/datasets/market1501_upright.py",
    "_base_/schedules/arcmargin.py",
    "_base_/default_runtime.py",
]
