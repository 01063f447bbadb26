# reid-strong-baseline (softmax, triplet, centre), converted by
#   python tools/convert.py resnet50_model_120.pth --from strong-baseline --out strong.pth
# and tested as there: no ReLU in the stem, bilinear, after the neck, normalised.
_base_ = [
    "../_base_/models/resnet50_bnneck.py",
    "../_base_/datasets/market1501_pillow.py",
    "../_base_/schedules/strong_baseline.py",
    "../_base_/epoch_runtime.py",
]

model = dict(backbone=dict(init_cfg=None))
