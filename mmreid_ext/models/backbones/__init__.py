"""Backbones that MMPretrain lacks; its own serve everywhere else."""

from .ghostnet import GhostNet
from .mobilenet_v2 import MobileNetV2
from .osnet import OSNet
from .resnet_ibn import ResNetIBN
from .semantic_swin import SemanticSwin
from .truncated_mobilenet_v2 import TruncatedMobileNetV2

__all__ = [
    "GhostNet",
    "MobileNetV2",
    "OSNet",
    "ResNetIBN",
    "SemanticSwin",
    "TruncatedMobileNetV2",
]
