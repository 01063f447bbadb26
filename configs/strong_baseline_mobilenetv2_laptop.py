# The strong baseline on the data, the network and the schedule of bn_mobilenetv2_laptop.py: random
# erasing, the usual smoothing of labels, small initial weights of the classifier.
_base_ = ["bn_mobilenetv2_laptop.py"]

model = dict(
    head=dict(
        classifier_init="normal",
        losses=dict(
            _delete_=True,
            ce=dict(type="mmreid_ext.LabelSmoothingLoss", epsilon=0.1),
            triplet=dict(type="mmreid_ext.BatchHardTripletLoss", margin=0.3, across_ranks=True),
        ),
    ),
)
train_pipeline = [
    dict(
        type="mmreid_ext.PackForDevice",
        augments=[
            dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
            dict(type="mmreid_ext.PadCrop", padding=5),
            dict(type="mmreid_ext.UniformAspectRandomErasing", prob=0.5),
        ],
    ),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
