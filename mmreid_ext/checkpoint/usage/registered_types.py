"""Name types by the registries, and refuse names that no registry has.

MMEngine imports what it doesn't find: ``type='os.system'`` would be called. So the types of a
recorded configuration are looked up here first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.registry import MODELS, TRANSFORMS

from mmreid_ext.config_files.registered import KnownTypes, entries, hidden_code
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


_SIZES = ("scale", "crop_size")
"""Arguments of transforms from which pictures are allocated."""

MAX_SIDE = 4096
"""Pixels of a network's input; an exported model may ask for no more either."""


def _is_size(value: Any) -> bool:
    sides = value if isinstance(value, (list, tuple)) else [value]
    numbers = all(isinstance(s, (int, float)) and not isinstance(s, bool) for s in sides)
    return bool(sides) and numbers and all(1 <= side <= MAX_SIDE for side in sides)


def registered_name(kind: Any) -> str:
    """Return the name of a class in the registries, else its full name, which none has."""
    _import_registered()
    for registry, name, entry in entries(_REGISTRIES):
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
    _import_registered()
    known = KnownTypes(_REGISTRIES)

    def check(value: Any, where: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                place = f"{where}.{key}".lstrip(".")
                code = hidden_code(key, item)
                if key == "type":
                    value[key] = known.short_name(item)
                    if value[key] is None:
                        raise _unknown(source, place, item, imports)
                elif key in _SIZES and "pipeline" in place and not _is_size(item):
                    raise UserError(
                        f"{source}: {place}={brief(item)}, must be pixels from 1 to {MAX_SIDE}; "
                        "the checkpoint is damaged, or made to fill the memory."
                    )
                elif code is not None:
                    raise UserError(
                        f"{source}: {place}: {code}; give the configuration beside the checkpoint "
                        "if you trust it."
                    )
                elif key in ("_scope_", "default_scope") and item not in known.scopes:
                    raise _unknown(source, place, item, imports)
                else:
                    check(item, place)
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                check(item, f"{where}[{index}]")

    check(settings, "")


def _unknown(source: str, place: str, name: Any, imports: Sequence[str]) -> UserError:
    hint = f" (its training imported {', '.join(map(str, imports))})" if imports else ""
    return UserError(
        f"{source}: {place}={brief(name)} is in no registry{hint}, and a checkpoint is never asked "
        "to import anything; import the module that registers it first, or give the configuration "
        "beside the checkpoint."
    )


def _import_registered() -> None:
    for registry, name in _LOADED_BY:
        registry.get(name)
