"""Name types by the registries, and refuse names that no registry has.

MMEngine imports what it doesn't find: ``type='os.system'`` would be called. So the types of a
recorded configuration are looked up here first.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.registry import MODELS, TRANSFORMS, Registry

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import brief

_REGISTRIES = (MODELS, TRANSFORMS)
_LOADED_BY = (
    (MODELS, "mmpretrain.ResNet"),
    (MODELS, "mmreid_ext.ReIDModel"),
    (TRANSFORMS, "mmpretrain.PackInputs"),
    (TRANSFORMS, "mmreid_ext.PackReIDInputs"),
)
"""A name of each registry, which imports what the registry holds."""

_RUNS_CODE = ("trust_remote_code",)
"""Arguments that let a library execute what it downloads."""

_FETCHING = ("transformers.", "mmpretrain.models.utils.huggingface.")
"""Modules whose registered functions and classes fetch a model that their arguments name."""


def registered_name(kind: Any) -> str:
    """Return the name of a class in the registries, else its full name, which none has."""
    for registry, name, entry in _entries():
        if entry is kind:
            return name if registry.parent is None else f"{registry.scope}.{name}"
    return f"{kind.__module__}.{getattr(kind, '__qualname__', type(kind).__qualname__)}"


def require_registered(settings: dict[str, Any], source: str, imports: Sequence[str]) -> None:
    """Raise unless every type in ``settings`` is registered; full names of such types get short.

    Args:
        settings: What a checkpoint recorded, changed in place.
        source: The checkpoint, for messages.
        imports: Modules that its training imported, for messages.

    Raises:
        UserError: If a type is in no registry, or a setting would run code from elsewhere.
    """
    known = {(r.scope, name) for r, name, entry in _entries() if _is_harmless(entry)}
    bare = {name for _, name in known}
    scopes = {scope for scope, _ in known}

    def check(value: Any, where: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                place = f"{where}.{key}".lstrip(".")
                if key == "type":
                    value[key] = _short_name(item, known, bare)
                    if value[key] is None:
                        raise _unknown(source, place, item, imports)
                elif key in _RUNS_CODE and item:
                    raise UserError(
                        f"{source}: {place}={brief(item)} would execute code from elsewhere; give "
                        "the configuration beside the checkpoint if you trust it."
                    )
                elif key in ("_scope_", "default_scope") and item not in scopes:
                    raise _unknown(source, place, item, imports)
                else:
                    check(item, place)
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                check(item, f"{where}[{index}]")

    check(settings, "")


def _short_name(name: Any, known: set[tuple[str, str]], bare: set[str]) -> str | None:
    """The name if the registries have it, in short if it is that of a registered class."""
    if not isinstance(name, str):
        return None
    if name in bare:
        return name
    scope, _, rest = name.partition(".")
    if (scope, rest) in known:
        return name
    for registry, short, entry in _entries():
        if inspect.isclass(entry) and (registry.scope, short) in known and _is_named(entry, name):
            return short if registry.parent is None else f"{registry.scope}.{short}"
    return None


def _is_named(kind: type, name: str) -> bool:
    """Whether ``name`` is a class's full name, perhaps by a package that exports it."""
    module, _, last = name.rpartition(".")
    return last == kind.__qualname__ and f"{kind.__module__}.".startswith(f"{module}.")


def _is_harmless(entry: Any) -> bool:
    return not f"{getattr(entry, '__module__', '')}.".startswith(_FETCHING)


def _unknown(source: str, place: str, name: Any, imports: Sequence[str]) -> UserError:
    hint = f" (its training imported {', '.join(map(str, imports))})" if imports else ""
    return UserError(
        f"{source}: {place}={brief(name)} is in no registry{hint}, and a checkpoint is never asked "
        "to import anything; import the module that registers it first, or give the configuration "
        "beside the checkpoint."
    )


def _entries() -> Iterator[tuple[Registry, str, Any]]:
    for registry, name in _LOADED_BY:
        registry.get(name)
    waiting = list(_REGISTRIES)
    while waiting:
        registry = waiting.pop(0)
        yield from ((registry, name, entry) for name, entry in registry.module_dict.items())
        waiting += registry.children.values()
