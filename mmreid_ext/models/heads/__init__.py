"""Heads: what follows the pooled feature."""

from .bnneck_head import BNNeckHead, ReIDFeatures

__all__ = ["BNNeckHead", "ReIDFeatures"]
