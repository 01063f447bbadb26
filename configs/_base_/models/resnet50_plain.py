# The plain strong baseline: ResNet-50 with last stride 2 and no ReLU in the stem; cross-entropy and
# triplet loss both read the pooled feature, and so does retrieval.
model = dict(
    type="mmreid_ext.ReIDModel",
    backbone=dict(
        type="ResNet",
        depth=50,
        norm_cfg=dict(type="mmreid_ext.SyncBN"),
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet50"),
    ),
    stem_relu=False,
    head=dict(
        type="mmreid_ext.BNNeckHead",
        num_classes=751,
        in_channels=2048,
        with_neck=False,
        classifier_bias=True,
        classifier_init="uniform",
        losses=dict(
            ce=dict(type="mmreid_ext.LabelSmoothingLoss", epsilon=0.0),
            triplet=dict(type="mmreid_ext.BatchHardTripletLoss", margin=0.3),
        ),
    ),
)
