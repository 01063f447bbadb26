# Your own pictures on a GPU: ResNet-50, 256 x 128, batch-norm neck, cross-entropy and triplet loss.
# A configuration that inherits this one is written by
#   python tools/prepare_folder.py PHOTOS --out DIR --model r50
_base_ = [
    "_base_/models/resnet50_bnneck.py",
    "_base_/datasets/own_images.py",
    "_base_/schedules/own_images_schedule.py",
    "_base_/default_runtime.py",
]

# Ctrl-C loses at most these iterations: minutes on a CPU.
default_hooks = dict(checkpoint=dict(interval=100))

model = dict(head=dict(num_classes=8))
train_dataloader = dict(num_workers=4, pin_memory=True)
val_dataloader = dict(num_workers=4)
test_dataloader = val_dataloader
