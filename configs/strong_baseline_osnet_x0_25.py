# The strong baseline on the smallest OSNet: 0.2 million parameters.
_base_ = ["strong_baseline_osnet.py"]

model = dict(backbone=dict(width=0.25))
