# ResNet-50 of torchreid: last stride 2, the pooled feature.
_base_ = [
    "../_base_/models/resnet50_plain.py",
    "../_base_/datasets/market1501_pillow.py",
    "../_base_/schedules/strong_baseline.py",
    "../_base_/epoch_runtime.py",
]

model = dict(backbone=dict(init_cfg=None), stem_relu=True, head=dict(test_feature="feats"))
