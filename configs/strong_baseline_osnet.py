# The strong baseline on OSNet. torchreid's ImageNet weights load unchanged:
#   python tools/train.py configs/strong_baseline_osnet.py --init-weights osnet_x1_0_imagenet.pth
_base_ = ["strong_baseline_r50_softmax_triplet.py"]

model = dict(
    backbone=dict(_delete_=True, type="mmreid_ext.OSNet", width=1.0),
    neck=None,
    stem_relu=True,
    head=dict(in_channels=512),
)
