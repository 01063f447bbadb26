"""How messages about checkpoints are put."""

from __future__ import annotations

import logging
import warnings

from mmengine.logging import MMLogger

from mmreid_ext.distributed import is_main

_SHOWN = 5


def shorten(texts: list[str], separator: str = "; ") -> str:
    """Join the first five texts and count the others."""
    rest = len(texts) - _SHOWN
    return separator.join(texts[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


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
