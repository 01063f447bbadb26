# metabin_r50_dg.py with the light backbone of the paper, MobileNetV2 at width 1.4 in the layout of
# the official code (feature size 1792). torchreid's ImageNet weights, which the authors start from,
# load unchanged:
#   tools/dist_train.sh configs/metabin_mobilenetv2_dg.py 4 --init-weights mobilenetv2_1.4.pth
_base_ = ["metabin_r50_dg.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="mmreid_ext.TruncatedMobileNetV2",
        width=1.4,
        norm_cfg=dict(type="mmreid_ext.BIN"),
    ),
    head=dict(in_channels=1792),
)
