# fast-reid's Bag of Tricks on ResNet-50-IBN-a (bagtricks_R50-ibn).
_base_ = ["fastreid_r50.py"]

model = dict(backbone=dict(type="mmreid_ext.ResNetIBN"))
