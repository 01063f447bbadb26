# torchvision's MobileNetV2 as it comes from ImageNet: last stride 2, so MMPretrain's and not ours.
_base_ = ["torchvision_r50.py"]

model = dict(
    backbone=dict(_delete_=True, type="mmpretrain.MobileNetV2"), head=dict(in_channels=1280)
)
