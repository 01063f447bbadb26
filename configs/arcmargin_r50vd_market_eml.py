# Embeddings for tracking, second stage: pairs (EML) instead of classes, from the checkpoint of
# arcmargin_r50vd_market.py. Another checkpoint: --cfg-options load_from=FILE
_base_ = ["arcmargin_r50vd_market.py", "_base_/schedules/arcmargin_pairs.py"]

load_from = "work_dirs/arcmargin_r50vd_market/iter_10000.pth"

model = dict(
    backbone=dict(init_cfg=None),
    head=dict(
        num_classes=None,  # no classifier: the weights of the first stage's are left aside
        classifier=None,
        losses=dict(_delete_=True, pair=dict(type="mmreid_ext.EMLLoss")),
    ),
)
