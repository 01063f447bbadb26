"""Hold a configuration of data to ``_base_`` files that aren't a stranger's code."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmreid_ext.shorten import brief

from .plain_settings import REMEDY
from .yaml_data import CodeInDataError

_from_data: ContextVar[bool] = ContextVar("from_data", default=False)


@contextmanager
def based_on_data() -> Iterator[None]:
    """Let the configuration that is read inside be based on known ``.py`` files only."""
    _guard()
    before = _from_data.set(True)
    try:
        yield
    finally:
        _from_data.reset(before)


def _guard() -> None:
    """Ask before MMEngine reads a file of a chain; a second call does nothing."""
    read = Config._file2dict
    if getattr(read, "is_guarded", False):
        return

    @wraps(read)
    def read_guarded(filename: str, *args: Any, **kwargs: Any) -> Any:
        if _from_data.get() and str(filename).endswith(".py") and not _is_known(filename):
            raise CodeInDataError(
                f"_base_ names {brief(str(filename))}, which is code; a configuration of data may "
                "be based on data and on configurations of this package or of MMPretrain; "
                f"{REMEDY}."
            )
        return read(filename, *args, **kwargs)

    read_guarded.is_guarded = True  # type: ignore[attr-defined]
    Config._file2dict = staticmethod(read_guarded)


def _is_known(filename: str) -> bool:
    path = Path(filename).expanduser().resolve()
    return any(folder.resolve() in path.parents for folder in _known_folders())


def _known_folders() -> Iterator[Path]:
    package = Path(__file__).parents[1]
    yield package / ".mim" / "configs"
    yield package.parent / "configs"
    found = importlib.util.find_spec("mmpretrain")
    for place in (found.submodule_search_locations if found else None) or ():
        yield Path(place) / ".mim" / "configs"
