"""Set environment variables that other libraries read once, when they are loaded."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

DEFAULTS = {
    # OpenCV prints lines of its own about broken pictures; each has its message from us.
    "OPENCV_LOG_LEVEL": "OFF",
    # After each operation the threads of PyTorch wait for the next one. By default they spin for
    # milliseconds, and take these from the thread that they wait for where another program shares
    # the cores (docs/benchmarks.md, "Other work beside it"). Passive threads sleep.
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""Variable and the value that it gets where the user has set none."""

SAME_CHOICE = {"OMP_WAIT_POLICY": ("GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")}
"""Variables of one library that make the choice of the standard's: those of GNU's and Intel's."""


def set_library_defaults(environ: MutableMapping[str, str] = os.environ) -> None:
    """Set each of :data:`DEFAULTS` that the user has left open.

    Call it before PyTorch and OpenCV are imported: later they read nothing. Child processes inherit
    the values.

    Args:
        environ: Environment variables, changed in place.
    """
    for name, value in DEFAULTS.items():
        if not any(chosen in environ for chosen in (name, *SAME_CHOICE.get(name, ()))):
            environ[name] = value
