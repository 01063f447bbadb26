# CLIP-ReID's ViT-B/16, converted by
#   python tools/convert.py ViT-B-16_60.pth --from clip-reid --out clip_reid.pth
# and tested as there: the feature and its projection, 768 + 512 numbers, before the necks.
_base_ = ["transreid_vit_b16.py"]

model = dict(
    backbone=dict(
        arch="base",
        pre_norm=True,
        norm_cfg=dict(type="LN", eps=1e-5),
        patch_cfg=dict(bias=False),
        layer_cfgs=dict(act_cfg=dict(type="mmpretrain.QuickGELU")),
    ),
    neck=dict(
        _delete_=True,
        type="mmreid_ext.AppendedProjection",
        in_channels=768,
        projected_channels=512,
    ),
    head=dict(in_channels=1280),
)
