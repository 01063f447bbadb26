"""Person re-identification and metric learning as registry modules for MMPretrain and MMEngine."""

from .compat import check_environment, silence_known_warnings
from .version import __version__

check_environment()
silence_known_warnings()

__all__ = ["__version__"]
