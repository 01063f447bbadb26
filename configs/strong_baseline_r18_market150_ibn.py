# The strong baseline with centre loss and IBN-a on a laptop, for the 34 processor minutes in which
# the same network without these tricks is trained elsewhere (docs/results.md).
_base_ = ["strong_baseline_r18_market150_softmax_triplet_center.py"]

model = dict(backbone=dict(type="mmreid_ext.ResNetIBN"))
