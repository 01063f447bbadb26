"""Files that are written whole or not at all, and found out beforehand if they can't be."""

from .atomic import atomic_open, atomic_write
from .writable import plain_file_name, require_writable

__all__ = ["atomic_open", "atomic_write", "plain_file_name", "require_writable"]
