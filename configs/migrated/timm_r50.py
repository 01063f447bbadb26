# timm's ResNet-50 as it comes from ImageNet:
#   python tools/convert.py resnet50_a1_in1k.safetensors --from timm --out imagenet.pth
_base_ = ["torchvision_r50.py"]

# Scale is width and height.
test_pipeline = [
    dict(type="Resize", scale=(128, 256), interpolation="bicubic", backend="pillow"),
    dict(type="mmreid_ext.PackReIDInputs"),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
