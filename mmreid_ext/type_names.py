"""Name types as a configuration writes them, and the arguments that they take."""

from __future__ import annotations

import inspect
from typing import Any

from .suggest import nearest

LOADER_KEYS = [
    "dataset",
    "sampler",
    "batch_sampler",
    "collate_fn",
    "worker_init_fn",
    "num_batch_per_epoch",
    "batch_size",
    "num_workers",
    "pin_memory",
    "drop_last",
    "timeout",
    "prefetch_factor",
    "persistent_workers",
]


def type_name(kind: Any) -> str:
    """Return the bare name of a type: ``'ReIDMetric'`` for ``'mmreid_ext.ReIDMetric'``.

    Args:
        kind: A registered name with or without its scope, a class, or MMEngine's stand-in for one
            that isn't imported yet.
    """
    name = getattr(kind, "__name__", None)
    # A stand-in answers for every attribute by another one.
    return (name if isinstance(name, str) else str(kind)).rpartition(".")[2]


def unknown_type(name: str, registry: Any, where: str) -> str:
    """Return the message for a type that a registry doesn't hold."""
    known = _names(registry)
    near = nearest(name.rpartition(".")[2], known)
    hint = f" (did you mean {known[near]!r}?)" if near is not None else ""
    return f"{where and where + ': '}type={name!r} is no registered {registry.name}{hint}."


def _names(registry: Any) -> dict[str, str]:
    """Names as a configuration writes them, by their last part; ours go before others'."""
    root = registry
    while root.parent is not None:
        root = root.parent
    found = {name: name for name in root.module_dict}
    for scope, child in root.children.items():
        bare = scope == "mmpretrain"  # the default scope of configurations
        found |= {name: name if bare else f"{scope}.{name}" for name in child.module_dict}
    return found


def parameters_of(kind: Any) -> list[str]:
    """Return the names of a constructor's arguments, and its bases' where it passes others on."""
    if getattr(kind, "__name__", "") == "DataLoader":
        return LOADER_KEYS
    if not inspect.isclass(kind):
        return [name for name in inspect.signature(kind).parameters if name != "self"]
    names: dict[str, None] = {}
    for base in kind.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
        kinds = {p.name: p.kind for p in parameters if p.name != "self"}
        open_end = inspect.Parameter.VAR_KEYWORD in kinds.values()
        names |= dict.fromkeys(
            n for n, k in kinds.items() if k not in (k.VAR_KEYWORD, k.VAR_POSITIONAL)
        )
        if not open_end:
            break
    return list(names)
