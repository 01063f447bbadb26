# ArcMargin with MobileNetV3-Large for trackers: whole boxes at 256 x 128 in place of the
# reference's square crops (arcmargin_mobilenetv3_market.py).
#   tools/train.py configs/arcmargin_mobilenetv3_market_256x128.py
_base_ = [
    "_base_/models/mobilenetv3_arcmargin.py",
    "_base_/datasets/market1501_upright.py",
    "_base_/schedules/arcmargin.py",
    "_base_/default_runtime.py",
]
