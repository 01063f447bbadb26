"""Give warnings about checkpoints."""

from __future__ import annotations

import logging
import warnings

from mmengine.logging import MMLogger

from mmreid_ext.distributed import is_main


def warn(text: str) -> None:
    """Log a warning; a log that is set to errors only would hide it, so there Python gives it.

    On several ranks the first one speaks.
    """
    if not is_main():
        return
    logger = MMLogger.get_current_instance()
    if any(handler.level <= logging.WARNING for handler in logger.handlers):
        logger.warning(text)
    else:
        warnings.warn(text, UserWarning, stacklevel=2)
