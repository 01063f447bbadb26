# timm's ResNet-50-D.
_base_ = ["timm_r50.py"]

model = dict(backbone=dict(type="ResNetV1d"))
