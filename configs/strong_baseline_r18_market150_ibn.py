# The strong baseline with centre loss and IBN-a on a laptop. It takes the 34 CPU minutes that
# torchreid takes for the same network without these tricks (docs/results.md).
_base_ = ["strong_baseline_r18_market150_softmax_triplet_center.py"]

model = dict(backbone=dict(type="mmreid_ext.ResNetIBN"))
