# Your own pictures on two CPU cores or any GPU: ResNet-18, 128 x 64, batch-norm neck, cross-entropy
# and triplet loss. A configuration that inherits this one is written by
#   python tools/prepare_folder.py PHOTOS --out DIR
_base_ = [
    "_base_/models/resnet50_bnneck.py",
    "_base_/datasets/own_images.py",
    "_base_/schedules/own_images_schedule.py",
    "_base_/default_runtime.py",
]

# Ctrl-C loses at most these iterations: minutes on a CPU.
default_hooks = dict(checkpoint=dict(interval=100))

model = dict(
    channels_last=True,
    backbone=dict(depth=18, init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet18")),
    head=dict(num_classes=8, in_channels=512),
)

# Scale is width and height.
image_loader = dict(type="mmreid_ext.LoadResized", scale=(64, 128), interpolation="bilinear")
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
train_dataloader = dict(num_workers=1, dataset=dict(loader=image_loader, pipeline=train_pipeline))
val_dataloader = dict(num_workers=1, dataset=dict(loader=image_loader))
test_dataloader = val_dataloader
