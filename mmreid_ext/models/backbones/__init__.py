"""Backbones that MMPretrain lacks; its own serve everywhere else."""

from .mobilenet_v2 import MobileNetV2
from .osnet import OSNet
from .resnet_ibn import ResNetIBN

__all__ = ["MobileNetV2", "OSNet", "ResNetIBN"]
