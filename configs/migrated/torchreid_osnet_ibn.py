# OSNet-IBN of torchreid (osnet_ibn_x1_0).
_base_ = ["torchreid_osnet.py"]

model = dict(backbone=dict(instance_norms="ibn"))
