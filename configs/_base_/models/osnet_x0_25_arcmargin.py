# OSNet x0.25, 0.2 million parameters, in place of ResNet50-vd. OSNet pools by itself.
_base_ = ["resnet50vd_arcmargin.py"]

model = dict(
    backbone=dict(_delete_=True, type="mmreid_ext.OSNet", width=0.25),
    neck=None,
    head=dict(in_channels=512),
)
