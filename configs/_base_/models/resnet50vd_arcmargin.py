# ResNet50-vd (ResNet-D: a stem of three 3x3 convolutions, average pooling before the shortcuts'
# 1x1), a 128-d embedding, and a classifier with an angular margin.
model = dict(
    type="mmreid_ext.ReIDModel",
    backbone=dict(
        type="ResNetV1d",
        depth=50,
        norm_cfg=dict(type="mmreid_ext.SyncBN"),
        init_cfg=dict(
            type="Pretrained",
            prefix="backbone.",
            checkpoint="https://download.openmmlab.com/mmclassification/v0/resnet/"
            "resnetv1d50_b32x8_imagenet_20210531-db14775a.pth",
        ),
    ),
    head=dict(
        type="mmreid_ext.EmbeddingHead",
        in_channels=2048,
        embedding_dim=128,
        num_classes=751,
        classifier=dict(type="mmreid_ext.ArcMarginLinear", margin=0.15, scale=80),
        losses=dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss", epsilon=0.0)),
    ),
)
