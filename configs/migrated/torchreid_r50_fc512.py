# resnet50_fc512 of torchreid: last stride 1, a layer of 512 channels behind the pooling.
_base_ = ["torchreid_r50.py"]

model = dict(
    backbone=dict(strides=(1, 2, 2, 1)),
    neck=dict(type="mmreid_ext.PooledLayer", in_channels=2048, out_channels=512),
    head=dict(in_channels=512),
)
