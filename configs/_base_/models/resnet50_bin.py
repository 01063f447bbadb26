# ResNet-50 with batch-instance norms, last stride 1, BNNeck; the losses of all three stages of
# MetaBIN.
model = dict(
    type="mmreid_ext.ReIDModel",
    backbone=dict(
        type="ResNet",
        depth=50,
        strides=(1, 2, 2, 1),
        norm_cfg=dict(type="mmreid_ext.BIN"),
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet50"),
    ),
    head=dict(
        type="mmreid_ext.BNNeckHead",
        num_classes=751,
        in_channels=2048,
        classifier_init="uniform",
        train_losses=("ce", "triplet"),
        losses=dict(
            ce=dict(type="mmreid_ext.LabelSmoothingLoss", spread="others"),
            triplet=dict(type="mmreid_ext.BatchHardTripletLoss", margin=0.3),
            scatter=dict(type="mmreid_ext.DomainScatterLoss"),
            shuffle=dict(type="mmreid_ext.DomainShuffleLoss"),
        ),
    ),
)
