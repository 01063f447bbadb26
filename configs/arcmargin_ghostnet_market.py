# ArcMargin with GhostNet x1.0, 2.7 million parameters. ImageNet weights of the authors' release
# and of timm load unchanged:
#   tools/train.py configs/arcmargin_ghostnet_market.py --cfg-options \
#       model.backbone.init_cfg.type=Pretrained model.backbone.init_cfg.checkpoint=FILE
_base_ = ["arcmargin_r50vd_market.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="mmreid_ext.GhostNet",
        width=1.0,
        norm_cfg=dict(type="mmreid_ext.SyncBN"),
    ),
    head=dict(in_channels=960),
)
