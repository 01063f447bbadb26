"""Errors that the user can mend: the command lines show their message, and no traceback.

Every other exception is a bug of ours or of another package. Its traceback is the useful part, so
the command lines leave it alone. Each class is also a Python exception of the kind that a caller
would expect, so ``except ValueError`` and ``except FileNotFoundError`` keep working.

The message has the form ``Owner: name=value, what is allowed; what to do.``
"""


class UserError(ValueError):
    """A setting, an argument or a file that can't be used; the message says what to do."""


class UserTypeError(UserError, TypeError):
    """A value of a type that can't be used."""


class MissingFileError(UserError, FileNotFoundError):
    """A file or folder that is not there."""


class ExistingFileError(UserError, FileExistsError):
    """A file or folder that is there and must not be replaced."""


class MissingPackageError(UserError, ImportError):
    """An optional package that is not installed; the message says which to install."""


class DivergenceError(UserError, FloatingPointError):
    """A training that has left the finite numbers."""
