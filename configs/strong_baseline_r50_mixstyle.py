# The strong baseline with MixStyle after the first two stages, for unseen cameras.
_base_ = ["strong_baseline_r50_softmax_triplet.py"]

model = dict(
    stage_plugins=dict(
        layer1=dict(type="mmreid_ext.MixStyle", seed=1),
        layer2=dict(type="mmreid_ext.MixStyle", seed=2),
    )
)
