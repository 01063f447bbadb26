"""Read configuration files: ``.py`` is code and is run; YAML and JSON are data."""

from __future__ import annotations

import os
import re
from inspect import signature

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import one_line
from mmreid_ext.suggest import did_you_mean

from .based_on import based_on_data
from .guarded_names import guard_registries
from .plain_settings import require_plain
from .yaml_data import CodeInDataError, never_call_from_yaml

DATA = (".yml", ".yaml", ".json")
"""How the names of configurations end that are data."""


def read_config_file(path: str | os.PathLike) -> Config:
    """Read a configuration with all files that it is based on.

    A ``.py`` file is run, whatever it is based on. A data file calls nothing but registered types:
    it may be based on (``_base_``) data and on the ``.py`` configurations of this package and of
    MMPretrain, and import (``custom_imports``) modules of MMEngine's packages and ours, or what is
    imported already.

    Args:
        path: Its file.

    Raises:
        UserError: If it can't be read. Whatever goes wrong in there is the file's.
    """
    never_call_from_yaml()
    try:
        return _read_data(path) if str(path).endswith(DATA) else Config.fromfile(path)
    except CodeInDataError as error:
        raise UserError(f"{os.fspath(path)} can't be read: {error}") from error
    except UserError:
        raise
    except Exception as error:
        _check_imports(error, os.fspath(path))
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        text = one_line(" ".join(str(text).split()), limit=1000)
        raise UserError(
            f"{os.fspath(path)} can't be read: {type(error).__name__}: {text}"
        ) from error


def _check_imports(error: Exception, name: str) -> None:
    """Raise what to mend where ``custom_imports``, whose keys are arguments, has a wrong one."""
    call = rf"{import_modules_from_strings.__name__}\(\) got an unexpected keyword argument '(.*)'"
    wrong = re.fullmatch(call, str(error))
    if wrong:
        known = tuple(signature(import_modules_from_strings).parameters)
        raise UserError(
            f"{name}: custom_imports takes no {wrong[1]!r}{did_you_mean(wrong[1], known)}; it "
            f"takes {', '.join(known)}."
        ) from error


def _read_data(path: str | os.PathLike) -> Config:
    guard_registries()
    with based_on_data():
        cfg = Config.fromfile(path, import_custom_modules=False)
    require_plain(cfg._cfg_dict, os.fspath(path))
    if cfg.get("custom_imports"):
        import_modules_from_strings(**cfg.custom_imports)
    return cfg
