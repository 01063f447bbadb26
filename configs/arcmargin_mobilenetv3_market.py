# ArcMargin with MobileNetV3-Large, 3.0 million parameters.
_base_ = [
    "_base_/models/mobilenetv3_arcmargin.py",
    "_base_/datasets/market1501_square.py",
    "_base_/schedules/arcmargin.py",
    "_base_/default_runtime.py",
]
