"""Read configuration files: ``.py`` is code and is run; YAML and JSON are data."""

from __future__ import annotations

import os

from mmengine.config import Config

from mmreid_ext.errors import UserError

from .yaml_data import CodeInDataError, never_call_from_yaml


def read_config_file(path: str | os.PathLike) -> Config:
    """Read a configuration with all files that it is based on.

    A ``.py`` file is run. A data file runs nothing itself, but may be based on (``_base_``) or
    import (``custom_imports``) files of code.

    Args:
        path: Its file.

    Raises:
        UserError: If it can't be read. Whatever goes wrong in there is the file's.
    """
    never_call_from_yaml()
    try:
        return Config.fromfile(path)
    except CodeInDataError as error:
        raise UserError(f"{os.fspath(path)} can't be read: {error}") from error
    except UserError:
        raise
    except Exception as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        text = " ".join(str(text).split())
        raise UserError(
            f"{os.fspath(path)} can't be read: {type(error).__name__}: {text}"
        ) from error
