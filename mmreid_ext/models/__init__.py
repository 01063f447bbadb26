"""Networks, normalisation layers, heads and losses."""

from . import backbones, losses
from .heads import BNNeckHead, ReIDFeatures
from .norms import BatchInstanceNorm2d, SyncBatchNorm, hold_running_stats
from .reid_model import ReIDModel

__all__ = [
    "BNNeckHead",
    "BatchInstanceNorm2d",
    "ReIDFeatures",
    "ReIDModel",
    "SyncBatchNorm",
    "backbones",
    "hold_running_stats",
    "losses",
]
