# reid-strong-baseline on ResNet-50-IBN-a, whose stem has a ReLU there.
_base_ = ["reid_strong_baseline_r50.py"]

model = dict(backbone=dict(type="mmreid_ext.ResNetIBN"), stem_relu=True)
