# The strong baseline with generalised-mean pooling, and circle loss instead of the triplet loss.
_base_ = ["strong_baseline_r50_softmax_triplet.py"]

model = dict(
    neck=dict(type="mmreid_ext.GeneralizedMeanPooling"),
    head=dict(
        losses=dict(
            _delete_=True,
            ce=dict(type="mmreid_ext.LabelSmoothingLoss", epsilon=0.1),
            circle=dict(type="mmreid_ext.CircleLoss"),
        )
    ),
)
