# The strong baseline with centre loss on a laptop.
_base_ = ["strong_baseline_r18_market150_softmax_triplet.py"]

model = dict(
    head=dict(
        losses=dict(
            center=dict(
                type="mmreid_ext.CenterLoss", num_classes=150, feat_dim=512, loss_weight=0.0005
            )
        )
    )
)
