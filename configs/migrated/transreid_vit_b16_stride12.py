# TransReID with overlapping patches: 21 x 10 of a picture.
_base_ = ["transreid_vit_b16.py"]

model = dict(backbone=dict(patch_cfg=dict(stride=12, padding=0)))
