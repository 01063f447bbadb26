"""Person re-identification and metric learning as registry modules for MMPretrain and MMEngine."""

from .compat import check_environment
from .version import __version__

check_environment()

__all__ = ["__version__"]
