# The published network of MetaBIN, MobileNetV2 x1.4, tested as metabin_r50_official.py.
_base_ = ["metabin_r50_official.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="mmreid_ext.TruncatedMobileNetV2",
        width=1.4,
        norm_cfg=dict(type="mmreid_ext.BIN"),
    ),
    head=dict(in_channels=1792),
)
