"""Import packages that only exporting needs."""

from __future__ import annotations

import importlib
from typing import Any

from mmreid_ext.errors import MissingPackageError


def optional(package: str) -> Any:
    """Import a package of the extra ``[deploy]``.

    Args:
        package: Name of a module.

    Raises:
        MissingPackageError: If it isn't installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackageError(
            f"Exporting needs the package {package.split('.')[0]}: install it by "
            "`pip install 'mmreid_ext[deploy]'`."
        ) from error


def is_there(package: str) -> bool:
    """Return whether a package can be imported."""
    try:
        importlib.import_module(package)
    except ImportError:
        return False
    return True
