"""Decide what a run shows of its messages, and send all of them to its log file."""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from types import FrameType, TracebackType
from typing import TextIO

from mmengine.logging import MMLogger

from .terminal import Terminal

HOSTS = (
    *("mmengine", "mmpretrain", "mmcv", "torch", "torchvision", "timm", "pkg_resources"),
    *("setuptools", "importlib", "numpy", "PIL", "cv2", "matplotlib", "tensorboard", "mlflow"),
    *("wandb", "google", "rich"),
)
"""Packages whose warnings are for their developers: they go to the log file."""

ABOUT_WEIGHTS = "mmengine.runner.checkpoint"
"""Its warnings are for the user: weights that a checkpoint lacks, or that fit nowhere."""

PROGRESS = "mmreid_ext.evaluation.progress"
MESSENGERS = ("logging", "warnings", "mmengine.logging", __name__)
"""Modules that hand a message on for others."""


class ScreenHandler(logging.Handler):
    """Show what is meant for the user, once; in place of MMLogger's handler of the screen.

    Errors are always shown. Notes and warnings are shown unless they are of one of :data:`HOSTS`.

    Args:
        terminal: Where to show it.
        level: Below it nothing is shown.
    """

    def __init__(self, terminal: Terminal, level: int = logging.INFO) -> None:
        super().__init__(level)
        self.terminal = terminal
        self._shown: set[str] = set()
        self._has_spoken = False

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record, or don't."""
        origin = getattr(record, "origin", None) or origin_of_message()
        if record.levelno < logging.ERROR and is_of_host(origin):
            return
        if record.levelno < logging.WARNING and origin == ABOUT_WEIGHTS:
            return  # from where it loads
        text = record.getMessage().strip("\n")
        if record.levelno < logging.WARNING:
            if origin == PROGRESS and self.terminal.can_change:
                self.terminal.change(text)
            else:
                self.terminal.line(f"\n{text}" if "\n" in text and self._has_spoken else text)
                self._has_spoken = True
        elif text not in self._shown:
            self._shown.add(text)
            word = "warning" if record.levelno < logging.ERROR else "error"
            self.terminal.line(f"{word}: {text}", "yellow" if word == "warning" else "red")


def origin_of_message() -> str:
    """Return the name of the module that logs or warns at this moment."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not any(name == one or name.startswith(f"{one}.") for one in MESSENGERS):
            return name
        frame = frame.f_back
    return ""


def is_of_host(origin: str) -> bool:
    """Whether a message of this module is for developers."""
    return origin.partition(".")[0] in HOSTS and origin != ABOUT_WEIGHTS


class Messages:
    """Send the messages of MMEngine's loggers and Python's warnings where they belong.

    Args:
        terminal: The screen.
        level: Below it nothing is shown: ``logging.ERROR`` on all ranks but the first.
    """

    def __init__(self, terminal: Terminal, level: int) -> None:
        self.handler = ScreenHandler(terminal, level)
        self._early = _Kept()
        self._before: list[tuple[logging.Logger, list[logging.Handler]]] = []
        self._show_warning, self._excepthook = warnings.showwarning, sys.excepthook
        self._process = os.getpid()

    def start(self) -> None:
        """Take over warnings, and the logger that works before a run has its own."""
        warnings.showwarning, sys.excepthook = self._warn, self._report
        logger = MMLogger.get_current_instance()
        self._before.append((logger, list(logger.handlers)))
        logger.handlers[:] = [self._early, self.handler]

    def stop(self) -> None:
        """Give everything back."""
        warnings.showwarning, sys.excepthook = self._show_warning, self._excepthook
        for logger, handlers in reversed(self._before):
            logger.handlers[:] = handlers
        self._before.clear()

    def take_over(self, logger: logging.Logger) -> None:
        """Replace the handler of the screen; write what was said before into the log file."""
        files = [h for h in logger.handlers if isinstance(h, logging.FileHandler)]
        self._before.append((logger, list(logger.handlers)))
        logger.handlers[:] = [*files, self.handler]
        for record in self._early.taken():
            for handler in files:
                if record.levelno >= handler.level:
                    handler.handle(record)

    def to_log_file(self, error: BaseException, text: str) -> None:
        """Write the end of a run into the log file only, with the place where it was raised."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        record = logging.LogRecord(
            *("mmengine", logging.ERROR, place.filename, place.lineno or 0, text, None, None),
            func=place.name,
        )
        for handler in MMLogger.get_current_instance().handlers:
            if isinstance(handler, logging.FileHandler):
                handler.handle(record)

    def _report(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        # Threads of loader processes that lose the other end when a run is interrupted.
        if os.getpid() == self._process or not issubclass(kind, (ConnectionError, EOFError)):
            self._excepthook(kind, error, trace)

    def _warn(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        record = logging.LogRecord(
            "mmengine", logging.WARNING, filename, lineno, str(message), None, None
        )
        origin = vars(record)["origin"] = origin_of_message()
        if is_of_host(origin):
            where = f"{os.path.basename(filename)}:{lineno}"
            record.msg = f"{category.__name__}: {message} ({where})"
        for handler in MMLogger.get_current_instance().handlers:
            if record.levelno >= handler.level:
                handler.handle(record)


class _Kept(logging.Handler):
    """Keep records until there is a log file."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)

    def taken(self) -> list[logging.LogRecord]:
        records, self._records = self._records, []
        return records
