"""Errors of other packages that a configuration causes, said in the words of the configuration.

MMEngine reports a misspelt type as ``KeyError``, a misspelt key as ``TypeError`` of a constructor.
Whether the configuration is the cause is read from the traceback: the error was raised by the
function that builds things from a configuration, or by a constructor of another package that this
function called. Nothing of ours lies between, so no bug of ours is mistaken for the user's.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.suggest import did_you_mean, nearest
from mmreid_ext.type_names import parameters_of, unknown_type

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmengine.config import Config

BUILDER = ("mmengine/registry/build_functions.py", "build_from_cfg")
LOADER_BUILDER = ("mmengine/runner/runner.py", "build_dataloader")
BUILDERS = ("mmengine/registry/", "mmengine/runner/runner.py", "mmengine/config/")
"""Files of MMEngine whose errors are about settings."""

RUNNER_FUNCTIONS = re.compile(
    r"__init__|from_cfg|_?build_|register_|set_randomness|scale_lr|_check"
)
_OURS = f"{Path(__file__).parents[1].as_posix()}/"
"""The folder of this package. A clone has its name, too, and may hold the environment."""

OTHERS = ("/mmengine/", "/mmpretrain/", "/mmcv/", "/torch/", "/torchvision/")
REFUSALS = (ValueError, KeyError, TypeError, AssertionError, NotImplementedError, AttributeError)


@contextmanager
def explained(cfg: Config | None = None) -> Iterator[None]:
    """Turn errors inside, where they are the configuration's, into :class:`UserError`.

    Args:
        cfg: The configuration, so that a message can say where in it.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        message = explanation(error, {} if cfg is None else dict(cfg.items()))
        if message is None:
            raise
        kind = MissingFileError if isinstance(error, FileNotFoundError) else UserError
        raise kind(message) from error


@dataclass
class _Build:
    """A call of MMEngine's ``build_from_cfg`` that is under way."""

    cfg: Mapping[str, Any]
    kind: Any  # class to build, None before it is found
    registry: Any


def explanation(error: Exception, cfg: Mapping[str, Any]) -> str | None:
    """Return what to tell the user, None if the configuration isn't the cause."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if not frames:
        return None
    number, build = _innermost_build(frames)
    where = _place(cfg, build.cfg) or _place(cfg, build.cfg, part=True) if build else ""
    found = _missing_type(error, frames[-1], build, where)
    if found is None and build is not None:
        after = frames[number + 1 :]
        found = _wrong_argument(error, after, build, where) or _refusal(error, after, build, where)
    return found or _of_runner(error, frames[-1], cfg)


def _innermost_build(frames: list[FrameType]) -> tuple[int, _Build | None]:
    for number in reversed(range(len(frames))):
        if _is(frames[number], *BUILDER):
            return number, _build_of(frames[number])
        if _is(frames[number], *LOADER_BUILDER):
            loader = frames[number].f_locals.get("dataloader")
            kind = frames[number].f_globals.get("DataLoader")
            return number, _Build(loader, kind, None) if isinstance(loader, Mapping) else None
    return -1, None


def _is(frame: FrameType, file: str, function: str) -> bool:
    code = frame.f_code
    return code.co_name == function and _file(frame).endswith(file)


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename.replace("\\", "/")


def _build_of(frame: FrameType) -> _Build | None:
    values = frame.f_locals
    if not isinstance(values.get("cfg"), Mapping):
        return None
    return _Build(values["cfg"], values.get("obj_cls"), values.get("registry"))


def _missing_type(
    error: Exception, frame: FrameType, build: _Build | None, where: str
) -> str | None:
    if isinstance(error, RuntimeError) and str(error).startswith("Failed to get "):
        name, registry = frame.f_locals.get("key"), frame.f_locals.get("self")
    elif isinstance(error, KeyError) and "is not in the" in str(error):
        name, registry = frame.f_locals.get("obj_type"), frame.f_locals.get("registry")
    elif build is not None and isinstance(error, KeyError) and 'the key "type"' in str(error):
        meant = nearest("type", build.cfg)
        hint = f" (is {meant!r} misspelt?)" if meant is not None else ""
        return f"{where or 'A part of the configuration'} lacks `type`{hint}: {dict(build.cfg)}."
    else:
        return None
    if not isinstance(name, str) or not hasattr(registry, "module_dict"):
        return None
    return unknown_type(name, registry, where)


def _wrong_argument(
    error: Exception, after: list[FrameType], build: _Build, where: str
) -> str | None:
    """A key that the constructor doesn't take, or one that it needs."""
    if not isinstance(error, TypeError):
        return None
    place = where and f"{where}: "
    unexpected = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    if unexpected and _holds_key(build.cfg, unexpected.group(1)):
        key = unexpected.group(1)
        if key not in build.cfg:  # of a dict inside, such as norm_cfg
            return f"{place}{error}."
        given = ("runner", "dataset", "dataloader")
        names = [name for name in parameters_of(build.kind) if name not in given]
        return (
            f"{place}{_name_of(build.kind)} takes no {key!r}{did_you_mean(key, names)}; "
            f"it takes {', '.join(names)}."
        )
    missing = re.search(r"missing \d+ required [\w-]+ arguments?: (.+)", str(error))
    if missing and not after:
        return f"{place}{_name_of(build.kind)} needs {missing.group(1)}."
    return None


def _name_of(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))


def _holds_key(node: Any, key: str) -> bool:
    if isinstance(node, Mapping):
        return key in node or any(_holds_key(value, key) for value in node.values())
    return isinstance(node, (list, tuple)) and any(_holds_key(item, key) for item in node)


def _refusal(error: Exception, after: list[FrameType], build: _Build, where: str) -> str | None:
    """A constructor of another package that doesn't like a value."""
    if not isinstance(error, (*REFUSALS, FileNotFoundError)) or not after:
        return None
    module = getattr(build.kind, "__module__", "") or ""
    if module.startswith("mmreid_ext") or not all(_of_others(frame) for frame in after):
        return None
    text = str(error.args[0] if isinstance(error, KeyError) else error)
    if not text:  # a bare assertion: its source is all there is to say
        text = f"{type(error).__name__}: {traceback.extract_tb(error.__traceback__)[-1].line}"
    return f"{where and where + ': '}{_name_of(build.kind)} says: {text}"


def _of_others(frame: FrameType) -> bool:
    file = _file(frame)
    return not file.startswith(_OURS) and any(name in file for name in OTHERS)


def _of_runner(error: Exception, frame: FrameType, cfg: Mapping[str, Any]) -> str | None:
    """What MMEngine's Runner itself finds wrong with its settings, and files that are missing."""
    file, function = _file(frame), frame.f_code.co_name
    if isinstance(error, (FileNotFoundError, IsADirectoryError)) and "/mmengine/" in file:
        given = cfg.get("load_from")
        return f"load_from: {error}" if given and str(given) in str(error) else str(error)
    if not any(name in file for name in BUILDERS):
        return None
    if file.endswith("runner.py") and not RUNNER_FUNCTIONS.match(function):
        return None
    if isinstance(error, KeyError):
        return f"The configuration lacks {error.args[0]!r}."
    if isinstance(error, (ValueError, TypeError, AssertionError, RuntimeError)) and str(error):
        return re.split(r", but got\s+\w+=", str(error))[0]  # there follow whole dicts
    return None


def _place(node: Any, wanted: Mapping[str, Any], path: str = "", part: bool = False) -> str:
    """Dotted path of a dict in the configuration, empty if it isn't there.

    Args:
        node: The configuration, or what stands at ``path``.
        wanted: The dict.
        path: See ``node``.
        part: Whether entries may have been added to the dict since, such as a sampler's seed.
    """
    if isinstance(node, Mapping):
        known = wanted.items() if not part else [(k, v) for k, v in wanted.items() if k in node]
        if path and ("type" in node or not part) and dict(node) == dict(known):
            return path
        items = [(str(key), value) for key, value in node.items()]
    elif isinstance(node, (list, tuple)):
        items = [(str(number), value) for number, value in enumerate(node)]
    else:
        return ""
    below = (_place(value, wanted, f"{path}.{key}" if path else key, part) for key, value in items)
    return next(filter(None, below), "")
