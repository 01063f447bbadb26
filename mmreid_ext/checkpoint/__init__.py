"""Checkpoints as data: plain files, safe loading, atomic writing.

``mmreid_ext.compat.enable_safe_checkpoints`` puts these three under MMEngine's own functions.
"""

from mmreid_ext.output_files.atomic import atomic_open, atomic_write

from .plain import from_plain, to_plain
from .safe_load import UnsafeCheckpointError, safe_load

__all__ = [
    "UnsafeCheckpointError",
    "atomic_open",
    "atomic_write",
    "from_plain",
    "safe_load",
    "to_plain",
]
