"""Let YAML be data.

MMEngine reads YAML with a loader that calls whatever a file names (``!!python/object/apply``).
"""

from __future__ import annotations

from typing import Any

import yaml
from mmengine.fileio import register_handler
from mmengine.fileio.handlers import YamlHandler

from mmreid_ext.errors import UserError
from mmreid_ext.json_values import DEEPEST
from mmreid_ext.shorten import one_line

try:  # quicker, where PyYAML was built with it
    from yaml import CSafeLoader as _SafeLoader
except ImportError:
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment] # same methods

MOST_ENTRIES = 200_000
"""Entries of a YAML file, those behind an alias counted wherever it stands."""

_TAG = "tag:yaml.org,2002:python/"

_HARMLESS = {
    "tuple": "seq",
    "list": "seq",
    "dict": "map",
    "str": "str",
    "unicode": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "none": "null",
}
"""Python's tags that are data, and the kind of YAML that they are; MMEngine writes ``tuple``."""


class DataLoader(_SafeLoader):
    """YAML loader that makes plain data, and tuples; every other tag of Python is refused."""


def _construct(loader: Any, kind: str, node: yaml.Node) -> Any:
    base = _HARMLESS.get(kind)
    if base is None:
        raise CodeInDataError(
            f"line {node.start_mark.line + 1} asks for !!python/{one_line(kind)}, a YAML "
            "configuration holds data and calls nothing; write it as a .py file if it must."
        )
    if base == "map":
        return loader.construct_mapping(node, deep=True)
    if base == "seq":
        items = loader.construct_sequence(node, deep=True)
        return tuple(items) if kind == "tuple" else items
    plain = yaml.ScalarNode(f"tag:yaml.org,2002:{base}", node.value, node.start_mark, node.end_mark)
    return loader.construct_object(plain)


DataLoader.add_multi_constructor(_TAG, _construct)


class CodeInDataError(UserError):
    """A YAML file that asks for a call of Python."""


class DataYamlHandler(YamlHandler):
    """MMEngine's reader of YAML, without the calls."""

    def load_from_fileobj(self, file: Any, **kwargs: Any) -> Any:
        """Load plain data, whichever loader was asked for."""
        text = file.read()
        _require_shallow(text)
        loaded = yaml.load(text, **{**kwargs, "Loader": DataLoader})
        _require_bounded(loaded)
        return loaded


def _require_shallow(text: Any) -> None:
    """Raise if values lie too deep: PyYAML's C code would run out of stack and end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=DataLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise CodeInDataError(
                f"line {event.start_mark.line + 1} lies deeper than {DEEPEST} levels."
            )


def _require_bounded(loaded: Any) -> None:
    """Raise if aliases (``*a``) make a small file endless: readers copy what they point to."""

    def entries(value: Any) -> int:
        if not isinstance(value, (dict, list, tuple)):
            return 1
        if id(value) not in counted:
            counted[id(value)] = MOST_ENTRIES + 1  # for one that holds itself
            inner = value.values() if isinstance(value, dict) else value
            counted[id(value)] = 1 + sum(map(entries, inner))
        return counted[id(value)]

    counted: dict[int, int] = {}
    if entries(loaded) > MOST_ENTRIES:
        raise CodeInDataError(
            f"its aliases make it longer than {MOST_ENTRIES:,} entries; write out what it repeats."
        )


def never_call_from_yaml() -> None:
    """Let MMEngine read YAML as data wherever it reads any; a second call changes nothing."""
    register_handler(["yaml", "yml"])(DataYamlHandler)
