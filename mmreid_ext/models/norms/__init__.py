"""Normalisation layers; importable without a Runner."""

from .batch_instance_norm import BatchInstanceNorm2d
from .batch_norm import SyncBatchNorm
from .folding import fold_for_inference
from .hold import hold_running_stats
from .together import normalize_together, share_messages

__all__ = [
    "BatchInstanceNorm2d",
    "SyncBatchNorm",
    "fold_for_inference",
    "hold_running_stats",
    "normalize_together",
    "share_messages",
]
