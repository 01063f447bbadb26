"""Keep exporters from talking: their warnings tell what is checked anyway."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

_TALKERS = (
    *("torch.onnx", "torch._dynamo", "torch.export", "torch.utils.cpp_extension"),
    *("onnxscript", "onnx_ir", "nncf"),
)


@contextlib.contextmanager
def quiet(verbose: bool = False) -> Iterator[None]:
    """Hide warnings, log lines and prints of exporters.

    Args:
        verbose: True hides nothing.
    """
    if verbose:
        yield
        return
    loggers = [logging.getLogger(name) for name in _TALKERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
