# The laptop cut of Market-1501 (150 training identities, 128 x 64) with the augmentation of the
# strong baseline and batches of 8 identities x 4 images. It tests like market150.py.
_base_ = ["market150.py"]

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
train_dataloader = dict(
    batch_size=32,
    sampler=dict(strategy="exhaustive_drop"),
    dataset=dict(loader=dict(interpolation="bilinear"), pipeline=train_pipeline),
)
