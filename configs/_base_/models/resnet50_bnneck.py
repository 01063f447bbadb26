# The strong baseline: ResNet-50 with last stride 1 and no ReLU in the stem, batch-norm neck,
# smoothed labels. The triplet loss reads the feature before the neck; the classifier and retrieval
# read it after.
model = dict(
    type="mmreid_ext.ReIDModel",
    backbone=dict(
        type="ResNet",
        depth=50,
        strides=(1, 2, 2, 1),
        norm_cfg=dict(type="mmreid_ext.SyncBN"),
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet50"),
    ),
    stem_relu=False,
    head=dict(
        type="mmreid_ext.BNNeckHead",
        num_classes=751,
        in_channels=2048,
        losses=dict(
            ce=dict(type="mmreid_ext.LabelSmoothingLoss", epsilon=0.1),
            triplet=dict(type="mmreid_ext.BatchHardTripletLoss", margin=0.3, across_ranks=True),
        ),
    ),
)
