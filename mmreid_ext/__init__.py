"""Person re-identification and metric learning as registry modules for MMPretrain and MMEngine."""

from mmreid_ext.compat import check_environment, silence_known_warnings
from mmreid_ext.moved import keep_old_names
from mmreid_ext.version import __version__

check_environment()
silence_known_warnings()
keep_old_names()

__all__ = ["__version__"]
