"""All that depends on the versions of other packages: what is supported, and what is mended.

:func:`check_environment` reads package metadata only and runs when ``mmreid_ext`` is imported.
:func:`enable_safe_checkpoints` changes MMEngine and runs when ``mmreid_ext.registry`` is imported,
that is, as soon as anything of the package is built, from a command line or from Python.
"""

from .changes import (
    enable_safe_checkpoints,
    let_hooks_be_switched_off,
    share_batches_of_every_loop,
    silence_known_warnings,
    tracing_paused,
)
from .environment import (
    REQUIREMENTS,
    UnsupportedEnvironmentError,
    check_environment,
    find_problems,
)

__all__ = [
    "REQUIREMENTS",
    "UnsupportedEnvironmentError",
    "check_environment",
    "enable_safe_checkpoints",
    "find_problems",
    "let_hooks_be_switched_off",
    "share_batches_of_every_loop",
    "silence_known_warnings",
    "tracing_paused",
]
