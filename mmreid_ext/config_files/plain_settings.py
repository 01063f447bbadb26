"""Say what a configuration of data may name: registered types and modules of known packages.

What MMEngine would import or execute otherwise: ``type: os.system``, ``custom_imports``, a scope
whose registry it imports, a ``.py`` file in ``_base_``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.json_values import DEEPEST
from mmreid_ext.shorten import brief, one_line

from .guarded_names import never_import
from .registered import (
    KnownTypes,
    hidden_code,
    import_registered,
    registered_scopes,
    root_registries,
)

PACKAGES = ("mmcv", "mmengine", "mmpretrain", "mmreid_ext")
"""Packages of which ``custom_imports`` may name modules."""

_DOTTED = re.compile(r"\w+(\.\w+)+")
_ODD_IN_KEYS = re.compile(r"""["'\\\x00-\x1f\x7f]""")
"""MMEngine writes keys between quotes, as Python, when it stores a configuration."""

_PICKLES = (".pkl", ".pickle")
_SCOPES = ("_scope_", "default_scope")

REMEDY = "write a .py configuration, which is code, if you trust it"


def require_plain(settings: dict[str, Any], source: str) -> None:
    """Refuse settings that would make MMEngine import or call what they name.

    Full names of registered classes get short, so that nothing is imported for them. Other names
    with dots are never looked up as types in this process.

    Args:
        settings: All of a configuration of data, changed in place.
        source: Its file, for messages.

    Raises:
        UserError: Names the entry, its value and what to do.
    """
    _check_imports(settings.get("custom_imports"), source)
    checked = _Checked(source)
    checked.walk(settings, "", 0)
    never_import(checked.dotted)


def _check_imports(wanted: Any, source: str) -> None:
    names = wanted.get("imports") if isinstance(wanted, Mapping) else wanted
    for name in names if isinstance(names, (list, tuple)) else [] if names is None else [names]:
        parts = name.split(".") if isinstance(name, str) else [""]
        ours = parts[0] in PACKAGES and all(map(str.isidentifier, parts))
        loaded = isinstance(name, str) and name in sys.modules  # it isn't executed again
        if not ours and not loaded:
            raise UserError(
                f"{source}: custom_imports: {brief(name)} would be executed, and a configuration "
                f"of data imports modules of {', '.join(PACKAGES)} only; {REMEDY}."
            )


class _Checked:
    """Settings on the way through all their entries.

    Args:
        source: Their file, for messages.

    Attributes:
        dotted: Texts that look like full names, those of types apart.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.dotted: set[str] = set()

    @cached_property
    def known(self) -> KnownTypes:
        """All types that may be named; to know them, their packages are imported."""
        import_registered()
        return KnownTypes(root_registries())

    def walk(self, node: Any, place: str, depth: int) -> None:
        """Check a value and all in it."""
        if depth > DEEPEST:
            raise UserError(
                f"{self.source}: {one_line(place, 60)} lies deeper than {DEEPEST} levels."
            )
        if isinstance(node, dict):
            for key, value in node.items():
                self._check_key(key, place)
                where = f"{place}.{key}".lstrip(".")
                if key in _SCOPES:
                    self._check_scope(value, where)
                elif _names_type(key, value):
                    node[key] = self._type(value, where)
                else:
                    self._check_argument(key, value, where)
                    self.walk(value, where, depth + 1)
        elif isinstance(node, (list, tuple)):
            for number, item in enumerate(node):
                self.walk(item, f"{place}[{number}]", depth + 1)
        elif isinstance(node, str):
            self._check_text(node, place)

    def _check_key(self, key: Any, place: str) -> None:
        plain = key is None or isinstance(key, (bool, int, float))
        if _ODD_IN_KEYS.search(key) if isinstance(key, str) else not plain:
            raise UserError(
                f"{self.source}: {brief(key)} in {place or 'it'} is no name of a setting; names "
                "hold no quotes, backslashes or control characters."
            )

    def _check_scope(self, value: Any, where: str) -> None:
        scopes = registered_scopes()
        if value is not None and (not isinstance(value, str) or value not in scopes):
            raise UserError(
                f"{self.source}: {where}={brief(value)}, a configuration of data takes its types "
                f"from {', '.join(sorted(scopes))}; {REMEDY}."
            )

    def _type(self, value: Any, where: str) -> str | None:
        """The name of a type, a registered class's full name in short."""
        if value is None:
            return None
        if not isinstance(value, str):
            raise UserError(f"{self.source}: {where}={brief(value)}, must be the name of a type.")
        if "." not in value:
            return value  # MMEngine looks it up, and imports nothing for it
        scope = value.partition(".")[0]
        short = self.known.short_name(value) if scope in registered_scopes() else None
        if short is None:
            raise UserError(
                f"{self.source}: {where}={brief(value)} is no registered type, and a configuration "
                f"of data calls nothing else; {REMEDY}."
            )
        return short

    def _check_argument(self, key: Any, value: Any, where: str) -> None:
        code = hidden_code(key, value)
        if code is not None:
            raise UserError(f"{self.source}: {where}: {code}; {REMEDY}.")

    def _check_text(self, text: str, place: str) -> None:
        if text.lower().endswith(_PICKLES):
            raise UserError(
                f"{self.source}: {place}={brief(text)} names a pickle, which is code; {REMEDY}."
            )
        if _DOTTED.fullmatch(text):
            self.dotted.add(text)


def _names_type(key: Any, value: Any) -> bool:
    """Whether an entry names a type: ``type``, and others that MMEngine looks up in registries."""
    if key == "type":
        return True
    likely = isinstance(key, str) and (key.endswith("_type") or key == "constructor")
    return likely and isinstance(value, str) and _DOTTED.fullmatch(value) is not None
