"""Import a user's own modules, whose classes then have names like those of the package."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from mmreid_ext.errors import MissingFileError, UserError


def add_import_argument(parser: ArgumentParser) -> None:
    """Add ``--import``, for :func:`import_own`, to a tool that reads no configuration."""
    parser.add_argument(
        "--import",
        dest="imports",
        action="append",
        default=[],
        metavar="MODULE|FILE.py",
        help="import this first: it registers protocols of your own (docs/extend.md)",
    )


def import_own(names: Iterable[str]) -> list[ModuleType]:
    """Import modules by name, or files by path; a file that is imported already isn't read again.

    Args:
        names: ``my_rules``, ``my_package.rules`` or ``folder/my_rules.py``.

    Raises:
        UserError: If there is no such module or file, or if importing it fails.
    """
    look_beside(Path())
    return [_import(name) for name in names]


def look_beside(folder: Path) -> None:
    """Let modules in a folder be imported by their names, those of other places first."""
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.append(place)


def _import(name: str) -> ModuleType:
    try:
        return _import_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
    except UserError:
        raise
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            raise UserError(
                f"--import {name}: there is no module {error.name!r}; give the path of its file, "
                "or put its folder into PYTHONPATH."
            ) from error
        text = " ".join(str(error).split())
        raise UserError(f"--import {name}: {type(error).__name__}: {text}") from error


def _import_file(path: Path) -> ModuleType:
    file = path.resolve()
    if not file.is_file():
        raise MissingFileError(f"--import {path}: there is no such file.")
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == str(file):
            return module
    look_beside(file.parent)
    # A name that is taken, such as numpy.py's, must not hide what has it.
    name = file.stem if file.stem not in sys.modules else f"{file.stem} ({file})"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UserError(f"--import {path}: Python can't load this file; give a file of Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
