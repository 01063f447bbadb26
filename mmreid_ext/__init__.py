"""Person re-identification and metric learning as registry modules for MMPretrain and MMEngine."""

from mmreid_ext.compat import check_environment, silence_known_warnings
from mmreid_ext.version import __version__

check_environment()
silence_known_warnings()

__all__ = ["__version__"]
