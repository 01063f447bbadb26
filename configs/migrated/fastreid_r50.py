# fast-reid's Bag of Tricks (bagtricks_R50), converted by
#   python tools/convert.py model_final.pth --from fastreid --out fastreid.pth
# and tested as there: bicubic, after the neck, cosine.
_base_ = [
    "../_base_/models/resnet50_bnneck.py",
    "../_base_/datasets/market1501_pillow_bicubic.py",
    "../_base_/schedules/strong_baseline.py",
    "../_base_/epoch_runtime.py",
]

model = dict(backbone=dict(init_cfg=None), stem_relu=True, stem_pool="ceil")
