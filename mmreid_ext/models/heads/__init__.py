"""Heads: what follows the pooled feature."""

from .bnneck_head import BNNeckHead
from .embedding_head import EmbeddingHead
from .reid_head import ReIDFeatures, ReIDHead

__all__ = ["BNNeckHead", "EmbeddingHead", "ReIDFeatures", "ReIDHead"]
