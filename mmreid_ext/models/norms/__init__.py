"""Normalisation layers; importable without a Runner."""

from .batch_instance_norm import BatchInstanceNorm2d
from .batch_norm import SyncBatchNorm
from .hold import hold_running_stats

__all__ = ["BatchInstanceNorm2d", "SyncBatchNorm", "hold_running_stats"]
