# GhostNet x1.0, 2.7 million parameters, in place of ResNet50-vd.
_base_ = ["resnet50vd_arcmargin.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="mmreid_ext.GhostNet",
        width=1.0,
        norm_cfg=dict(type="mmreid_ext.SyncBN"),
    ),
    head=dict(in_channels=960),
)
