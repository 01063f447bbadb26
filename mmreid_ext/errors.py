"""Errors that the user can mend: the command lines show their message, and no traceback.

Every other exception is a bug of ours or of another package. Its traceback is the useful part, so
the command lines leave it alone. Each class is also a Python exception of the kind that a caller
would expect, so ``except ValueError`` and ``except FileNotFoundError`` keep working.

The message has the form ``Owner: name=value, what is allowed; what to do.`` What goes on in spite
of a doubt warns by :func:`warn_user`.
"""

from __future__ import annotations

import os
import sys
import warnings

_PASSED_OVER = (os.path.dirname(__file__) + os.sep, os.path.join("torch", "utils") + os.sep)
"""The package, and the part of PyTorch in which its decorators (``no_grad``) stand."""

STOPPED_ON_REQUEST = 75
"""Exit code of a training that was told to stop, wrote a checkpoint and wants to be started again.

EX_TEMPFAIL of the BSD systems: "try again later". Every other failure is 1 (2 for usage).
"""


def printable(text: str) -> str:
    """Replace what would command a terminal, or turn text around, by blanks; lines stay lines."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


class UserError(ValueError):
    """A setting, an argument or a file that can't be used; the message says what to do.

    What it quotes may come from strangers: text that would command a terminal is left out.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class UserTypeError(UserError, TypeError):
    """A value of a type that can't be used."""


class MissingFileError(UserError, FileNotFoundError):
    """A file or folder that is not there."""


class ExistingFileError(UserError, FileExistsError):
    """A file or folder that is there and must not be replaced."""


class MissingPackageError(UserError, ImportError):
    """An optional package that is not installed; the message says which to install."""


class RankLostError(UserError, ConnectionError):
    """Another rank of the run that is gone; the message says which, and why."""


class DivergenceError(UserError, FloatingPointError):
    """A training that has left the finite numbers."""


class RunStopped(Exception):
    """A training that ended because it was asked to: by a signal, or by its time limit.

    Nothing is lost: a resumed run continues where this one ended. Tools end with
    :data:`STOPPED_ON_REQUEST`.
    """


def warn_user(text: str, category: type[Warning] = UserWarning) -> None:
    """Warn, and name the innermost line outside of the package as the place.

    Args:
        text: The warning.
        category: Its kind.
    """
    level = 1
    frame = sys._getframe()
    while frame.f_back is not None and any(
        part in frame.f_code.co_filename for part in _PASSED_OVER
    ):
        frame = frame.f_back
        level += 1
    warnings.warn(printable(text), category, stacklevel=level)
