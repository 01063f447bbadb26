# metabin_r50_dg.py with the light backbone of the paper, MobileNetV2 at width 1.4 (feature size
# 1792).
_base_ = ["metabin_r50_dg.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="mmreid_ext.MobileNetV2",
        widen_factor=1.4,
        norm_cfg=dict(type="mmreid_ext.BIN"),
    ),
    head=dict(in_channels=1792),
)
