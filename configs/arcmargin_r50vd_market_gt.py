# The first stage on the hand-drawn boxes (gt_bbox), 1,421 identities.
_base_ = [
    "_base_/models/resnet50vd_arcmargin.py",
    "_base_/datasets/market1501_gt_bbox.py",
    "_base_/schedules/arcmargin.py",
    "_base_/default_runtime.py",
]

model = dict(head=dict(num_classes=1421))
