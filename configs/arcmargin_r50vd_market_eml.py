# Embeddings for tracking, second stage: pairs (EML) instead of classes. It starts from the
# checkpoint of arcmargin_r50vd_market.py. docs/arcmargin.md has other losses. To start from another
# checkpoint:
#   tools/train.py configs/arcmargin_r50vd_market_eml.py --cfg-options load_from=FILE
_base_ = [
    "_base_/models/resnet50vd_arcmargin.py",
    "_base_/datasets/market1501_square.py",
    "_base_/schedules/arcmargin_pairs.py",
    "_base_/default_runtime.py",
]

load_from = "work_dirs/arcmargin_r50vd_market/iter_10000.pth"

model = dict(
    backbone=dict(init_cfg=None),
    head=dict(
        num_classes=None,  # no classifier; the first stage's is not loaded
        classifier=None,
        losses=dict(_delete_=True, pair=dict(type="mmreid_ext.EMLLoss")),
    ),
)
# 16 identities x 4 images; every batch draws independently.
train_dataloader = dict(
    batch_size=64,
    sampler=dict(num_instances=4, strategy="id_avg_prob"),
)
