# Plain baseline of PaddleClas: last stride 2, no ReLU in the stem, the pooled feature.
_base_ = ["torchreid_r50.py"]

model = dict(stem_relu=False)
