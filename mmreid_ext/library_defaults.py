"""Set environment variables that other libraries read once, when they are loaded."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

DEFAULTS = {
    # OpenCV prints lines of its own about broken pictures; each has its message from us.
    "OPENCV_LOG_LEVEL": "OFF",
}
"""Variable and the value that it gets where the user has set none."""

WAITING = "OMP_WAIT_POLICY"
SAME_CHOICE = (WAITING, "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")
"""The standard's variable, and those of GNU's and Intel's library that choose the same."""

_BUSY = 0.5
"""Running processes per core from which on a machine counts as busy."""


def set_library_defaults(environ: MutableMapping[str, str] = os.environ) -> None:
    """Set what the user has left open: :data:`DEFAULTS`, and on a busy machine passive waiting.

    After each operation the threads of PyTorch wait for the next one. By default they spin for
    milliseconds. Alone on a machine this is the quickest. Where another program shares the cores,
    they take the time from the thread that they wait for (docs/benchmarks.md, "Other work beside
    it"); passive threads sleep.

    Call it before PyTorch and OpenCV are imported: later they read nothing. Child processes inherit
    the values.

    Args:
        environ: Environment variables, changed in place.
    """
    for name, value in DEFAULTS.items():
        environ.setdefault(name, value)
    if machine_is_busy() and not any(name in environ for name in SAME_CHOICE):
        environ[WAITING] = "PASSIVE"


def machine_is_busy() -> bool:
    """Return whether other programs have used half of the cores during the last minute."""
    try:
        return os.getloadavg()[0] >= _BUSY * (os.cpu_count() or 1)
    except OSError:  # some containers don't say
        return False
