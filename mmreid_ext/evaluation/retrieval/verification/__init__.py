"""Ask not only who it is, but whether it is anybody known: open-set identification."""

from .open_set import OpenSetResult, evaluate_open_set
from .settings import OPEN_SET_DEFAULTS, OPEN_SET_FPRS, check_open_set, open_set_names

__all__ = [
    "OPEN_SET_DEFAULTS",
    "OPEN_SET_FPRS",
    "OpenSetResult",
    "check_open_set",
    "evaluate_open_set",
    "open_set_names",
]
