"""Backbones that MMPretrain lacks; its own serve everywhere else."""

from .mobilenet_v2 import MobileNetV2

__all__ = ["MobileNetV2"]
