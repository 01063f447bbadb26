# ResNet-50 with last stride 2 and no stem ReLU, global max pooling, a 128-d embedding; contrastive
# loss in the batch and against the last 55,000 embeddings.
model = dict(
    type="mmreid_ext.ReIDModel",
    stem_relu=False,
    backbone=dict(
        type="ResNet",
        depth=50,
        norm_cfg=dict(type="mmreid_ext.SyncBN"),
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet50"),
    ),
    neck=dict(type="mmreid_ext.GlobalMaxPooling"),
    head=dict(
        type="mmreid_ext.EmbeddingHead",
        in_channels=2048,
        embedding_dim=128,
        embedding_init="kaiming_fan_out",
        losses=dict(
            xbm=dict(
                type="mmreid_ext.CrossBatchMemory",
                loss=dict(type="mmreid_ext.ContrastiveLoss", margin=0.5),
                memory_size=55000,
                feat_dim=128,
                start_iter=1000,
            )
        ),
    ),
)
