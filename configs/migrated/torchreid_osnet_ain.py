# OSNet-AIN of torchreid (osnet_ain_x1_0 and narrower ones).
_base_ = ["torchreid_osnet.py"]

model = dict(backbone=dict(instance_norms="ain"))
