# torchvision's ResNet-50 as it comes from ImageNet, to measure an untrained start:
#   python tools/convert.py resnet50-0676ba61.pth --from torchvision --out imagenet.pth
_base_ = ["torchreid_r50.py"]
