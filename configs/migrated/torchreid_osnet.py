# OSNet of torchreid, converted by
#   python tools/convert.py osnet_x1_0_market.pth --from torchreid --out osnet.pth
# and tested with its transforms. The pooled feature behind its linear layer is compared; torchreid
# compares it by Euclidean distance unless told otherwise, and we by cosine.
_base_ = [
    "../_base_/models/resnet50_plain.py",
    "../_base_/datasets/market1501_pillow.py",
    "../_base_/schedules/strong_baseline.py",
    "../_base_/epoch_runtime.py",
]

model = dict(
    backbone=dict(_delete_=True, type="mmreid_ext.OSNet", width=1.0),
    neck=None,
    stem_relu=True,
    head=dict(in_channels=512, test_feature="feats"),
)
