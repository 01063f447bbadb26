# The strong baseline with centre loss. Plain SGD at a constant learning rate of 0.5 on the
# unweighted loss moves the centres, beside any optimiser of the network.
_base_ = ["strong_baseline_r50_softmax_triplet.py"]

model = dict(
    head=dict(
        losses=dict(
            center=dict(
                type="mmreid_ext.CenterLoss", num_classes=751, feat_dim=2048, loss_weight=0.0005
            )
        )
    )
)
optim_wrapper = dict(paramwise_cfg=dict(center_lr=0.5))
