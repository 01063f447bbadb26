# Strong baseline of PaddleClas (softmax_triplet, with or without centre): last stride 1, no ReLU in
# the stem, after the neck.
_base_ = ["reid_strong_baseline_r50.py"]
