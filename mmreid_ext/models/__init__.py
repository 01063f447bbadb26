"""Networks, normalisation layers, heads and losses."""

from .norms import BatchInstanceNorm2d, SyncBatchNorm, hold_running_stats

__all__ = ["BatchInstanceNorm2d", "SyncBatchNorm", "hold_running_stats"]
