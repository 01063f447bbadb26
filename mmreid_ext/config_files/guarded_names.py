"""Keep MMEngine's registries from importing what a file of data names.

A registry that doesn't hold a name imports the module of that name: ``type='ResNet'`` among the
samplers would execute a ``ResNet.py`` in the folder of the configuration.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mmengine.registry import Registry
from mmengine.registry import registry as registry_module

_NEVER: set[str] = set()


def never_import(names: Iterable[str]) -> None:
    """Note names with dots that no registry may import in this process.

    Args:
        names: Text of a file of data. Names that are registered are found all the same.
    """
    _NEVER.update(names)


def guard_registries() -> None:
    """Let registries import nothing for a bare name or a noted one; a second call does nothing."""
    find = getattr(registry_module, "get_object_from_string", None)
    if find is None or getattr(find, "is_guarded", False):
        return

    def find_guarded(obj_name: str) -> Any:
        # A module can't be built, so a bare name finds nothing that anybody could use.
        return find(obj_name) if "." in obj_name and obj_name not in _NEVER else None

    find_guarded.is_guarded = True  # type: ignore[attr-defined]
    registry_module.get_object_from_string = find_guarded
    get = Registry.get

    def get_guarded(self: Registry, key: str) -> Any:
        if key in _NEVER and key.partition(".")[0] not in _scopes(self):
            raise RuntimeError(f"Failed to get {key}")  # MMEngine's own words
        return get(self, key)

    Registry.get = get_guarded


def _scopes(registry: Registry) -> set[str]:
    """Packages that have a registry of this kind; asking them imports nothing new."""
    root = registry
    while root.parent is not None:
        root = root.parent
    return {root.scope, *root.children}
