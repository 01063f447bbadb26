"""Find what registries hold without importing what a file names.

MMEngine imports what it doesn't find: ``type='os.system'`` would be called. So the types of a
file of data are looked up here first.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry

from mmreid_ext.shorten import brief

SCOPES = ("mmengine", "mmpretrain", "mmreid_ext")
"""Packages whose registered names every configuration may use."""

_FETCHING = ("transformers.", "mmpretrain.models.utils.huggingface.")
"""Modules whose registered functions and classes fetch a model that their arguments name."""


class KnownTypes:
    """What some registries and their children hold.

    Args:
        roots: Registries of MMEngine. Their modules must have been imported.

    Attributes:
        scopes: Names of the packages that they belong to.
    """

    def __init__(self, roots: Iterable[Registry]) -> None:
        found = [e for e in entries(roots) if _is_harmless(e[2])]
        self._known = {(registry.scope, name) for registry, name, _ in found}
        self._bare = {name for _, name in self._known}
        self._classes = [e for e in found if inspect.isclass(e[2])]
        self.scopes = {scope for scope, _ in self._known}

    def short_name(self, name: Any) -> str | None:
        """Return the name if it is registered, in short if it is a registered class's full name.

        Args:
            name: As a file writes it.

        Returns:
            None if no registry has it.
        """
        if not isinstance(name, str):
            return None
        if name in self._bare:
            return name
        scope, _, rest = name.partition(".")
        if (scope, rest) in self._known:
            return name
        for registry, short, entry in self._classes:
            if _is_named(entry, name):
                return short if registry.parent is None else f"{registry.scope}.{short}"
        return None


def entries(roots: Iterable[Registry]) -> Iterator[tuple[Registry, str, Any]]:
    """Yield registry, name and entry of what is registered now, children's after their parents'."""
    waiting = list(roots)
    while waiting:
        registry = waiting.pop(0)
        yield from ((registry, name, entry) for name, entry in registry.module_dict.items())
        waiting += registry.children.values()


def root_registries() -> list[Registry]:
    """Return MMEngine's own registries, one of each kind."""
    found = [v for v in vars(mmengine_registry).values() if isinstance(v, Registry)]
    return [registry for registry in found if registry.parent is None]


def registered_scopes() -> set[str]:
    """Return the packages that have registries now, and those that always may have."""
    found, waiting = set(SCOPES), root_registries()
    while waiting:
        registry = waiting.pop()
        found.add(registry.scope)
        waiting += registry.children.values()
    return found


def import_registered() -> None:
    """Import what the packages of :data:`SCOPES` register, as MMEngine does at first use."""
    for scope in SCOPES:
        import_module(f"{scope}.registry")
    waiting = root_registries()
    while waiting:
        registry = waiting.pop()
        if registry.scope in SCOPES:
            registry.import_from_location()
        waiting += registry.children.values()


def hidden_code(key: Any, value: Any) -> str | None:
    """Say which code an argument of a registered type would run; None if it is a plain value.

    Args:
        key: Name of the argument.
        value: Its value in a file of data.
    """
    if key == "trust_remote_code" and value:
        return f"trust_remote_code={brief(value)} would execute code from elsewhere"
    if key == "dtype" and isinstance(value, str) and not value.isidentifier():
        return f"dtype={brief(value)} is no name of a type; MMPretrain would execute it"
    return None


def _is_named(kind: type, name: str) -> bool:
    """Whether ``name`` is a class's full name, perhaps by a package that exports it."""
    module, _, last = name.rpartition(".")
    return last == kind.__qualname__ and f"{kind.__module__}.".startswith(f"{module}.")


def _is_harmless(entry: Any) -> bool:
    return not f"{getattr(entry, '__module__', '')}.".startswith(_FETCHING)
