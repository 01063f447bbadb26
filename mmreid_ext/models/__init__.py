"""Networks, normalisation layers, heads and losses."""

from . import backbones, losses, necks
from .data_preprocessor import ReIDDataPreprocessor
from .heads import BNNeckHead, EmbeddingHead, ReIDFeatures, ReIDHead
from .mix_style import MixStyle
from .norms import BatchInstanceNorm2d, SyncBatchNorm, hold_running_stats
from .reid_model import ReIDModel

__all__ = [
    "BNNeckHead",
    "BatchInstanceNorm2d",
    "EmbeddingHead",
    "MixStyle",
    "ReIDDataPreprocessor",
    "ReIDFeatures",
    "ReIDHead",
    "ReIDModel",
    "SyncBatchNorm",
    "backbones",
    "hold_running_stats",
    "losses",
    "necks",
]
