# MobileNetV2 of torchreid (mobilenetv2_x1_0, mobilenetv2_x1_4).
_base_ = ["torchreid_r50.py"]

model = dict(
    backbone=dict(_delete_=True, type="mmreid_ext.TruncatedMobileNetV2", width=1.0, last_stride=2),
    head=dict(in_channels=1280),
)
