# MobileNetV3-Large, 3.0 million parameters, in place of ResNet50-vd.
_base_ = ["resnet50vd_arcmargin.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="MobileNetV3",
        arch="large",
        norm_cfg=dict(type="mmreid_ext.SyncBN", eps=0.001, momentum=0.01),
        init_cfg=dict(
            type="Pretrained",
            prefix="backbone.",
            checkpoint="https://download.openmmlab.com/mmclassification/v0/mobilenet_v3/convert/"
            "mobilenet_v3_large-3ea3c186.pth",
        ),
    ),
    head=dict(in_channels=960),
)
