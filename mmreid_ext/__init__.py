"""Person re-identification and metric learning as registry modules for MMPretrain and MMEngine."""

from .version import __version__

__all__ = ["__version__"]
