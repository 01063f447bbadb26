"""Names in a configuration that MMEngine looks up late, or never checks."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from importlib import import_module
from typing import Any

from mmengine import registry as root
from mmengine.config import Config
from mmengine.hooks import CheckpointHook, EMAHook
from mmengine.registry import Registry
from mmengine.runner import LogProcessor, Runner

from mmreid_ext.errors import UserError
from mmreid_ext.suggest import did_you_mean, nearest
from mmreid_ext.type_names import parameters_of, unknown_type

ALIKE = 0.8
"""Above this a name is taken for a misspelling where other names are allowed."""

DEFAULT_HOOKS = (
    *("runtime_info", "timer", "sampler_seed", "logger", "param_scheduler", "checkpoint"),
    "visualization",
)
"""Hooks that MMEngine has by these names; one by another name comes in addition."""

LOG_LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTSET")


def check_spelling(cfg: Config) -> None:
    """Look up the types and arguments of which a misspelling shows late or obscurely.

    Args:
        cfg: A whole configuration.

    Raises:
        UserError: If a name is unknown; with the nearest that exists.
    """
    scope = cfg.get("default_scope") or "mmengine"
    _check_scope(scope)
    level = cfg.get("log_level", "INFO")
    if not isinstance(level, int) and str(level).upper() not in LOG_LEVELS:
        raise UserError(f"log_level={level!r}, one of {', '.join(LOG_LEVELS)} is needed.")
    for place, name, registry in _late_names(cfg):
        if isinstance(name, str) and _find(registry, name, scope) is None:
            raise UserError(unknown_type(name, registry, place))
    for place, hook in _hooks(cfg):
        _check_hook(place, hook, scope)
    _check_free_names(cfg)


def _check_scope(scope: str) -> None:
    try:
        import_module(f"{scope}.registry")
    except ImportError as error:
        hint = did_you_mean(scope, ("mmpretrain", "mmengine", "mmreid_ext"))
        raise UserError(
            f"default_scope={scope!r}{hint}: no package of that name has registries ({error})."
        ) from error


def _late_names(cfg: Config) -> Iterator[tuple[str, Any, Registry]]:
    """Yield place and name of types that MMEngine looks up itself, without a message of its own."""
    optimizer = (cfg.get("optim_wrapper") or {}).get("optimizer")
    if isinstance(optimizer, Mapping):
        yield "optim_wrapper.optimizer", optimizer.get("type"), root.OPTIMIZERS
    loaders = {f"{part}_dataloader": cfg.get(f"{part}_dataloader") for part in _PARTS}
    loaders["train_cfg.meta_dataloader"] = (cfg.get("train_cfg") or {}).get("meta_dataloader")
    for name, loader in loaders.items():
        collate = loader.get("collate_fn") if isinstance(loader, Mapping) else None
        if isinstance(collate, Mapping):
            yield f"{name}.collate_fn", collate.get("type"), root.FUNCTIONS
    for place, norm in _norms(cfg.get("model"), "model"):
        yield place, norm.get("type"), root.MODELS


_PARTS = ("train", "val", "test")


def _norms(node: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "norm_cfg" and isinstance(value, Mapping):
                yield f"{place}.{key}", value
            else:
                yield from _norms(value, f"{place}.{key}")


def _check_free_names(cfg: Config) -> None:
    """Check names that MMEngine takes whatever they are, or refuses without saying what is near."""
    log = cfg.get("log_processor") or {}
    own = log.get("type", "LogProcessor") != "LogProcessor" if isinstance(log, Mapping) else True
    known = {
        "default_hooks": DEFAULT_HOOKS,
        "optim_wrapper": ("constructor", "paramwise_cfg"),
        "log_processor": () if own else (*parameters_of(LogProcessor), "type"),
    }
    for number, schedule in enumerate(_list_of(cfg.get("param_scheduler"))):
        for key in schedule if isinstance(schedule, Mapping) and "type" not in schedule else ():
            if nearest(key, ("type",)):
                hint = did_you_mean(key, ("type",))
                raise UserError(f"param_scheduler.{number}: nothing reads {key!r}{hint}.")
    for place, names in known.items():
        found = cfg.get(place)
        for key in found if isinstance(found, Mapping) and names else ():
            near = nearest(key, names)
            alike = near is not None and SequenceMatcher(None, str(key), near).ratio() > ALIKE
            if key not in names and (alike or place == "log_processor"):
                raise UserError(f"{place}: nothing reads {key!r}{did_you_mean(key, names)}.")


def _list_of(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value]


def _find(registry: Registry, name: str, scope: str) -> Any:
    try:
        with registry.switch_scope_and_registry(scope) as within:
            return within.get(name)
    except RuntimeError:  # MMEngine's "Failed to get"
        return None


def _hooks(cfg: Config) -> Iterator[tuple[str, Mapping[str, Any]]]:
    several = [(f"default_hooks.{n}", h) for n, h in (cfg.get("default_hooks") or {}).items()]
    several += [(f"custom_hooks.{n}", h) for n, h in enumerate(cfg.get("custom_hooks") or ())]
    return ((place, hook) for place, hook in several if isinstance(hook, Mapping))


def _check_hook(place: str, hook: Mapping[str, Any], scope: str) -> None:
    """Check what two hooks of MMEngine pass on unseen until they save or average."""
    kind = hook.get("type")
    kind = _find(root.HOOKS, kind, scope) if isinstance(kind, str) else kind
    if not inspect.isclass(kind) or not issubclass(kind, (CheckpointHook, EMAHook)):
        return
    names = set(parameters_of(kind))
    if issubclass(kind, CheckpointHook):
        names |= set(inspect.signature(Runner.save_checkpoint).parameters) - {"self", "filename"}
    else:
        average = hook.get("ema_type", "ExponentialMovingAverage")
        average = _find(root.MODELS, average, scope) if isinstance(average, str) else average
        if average is None:
            raise UserError(unknown_type(hook["ema_type"], root.MODELS, f"{place}.ema_type"))
        names |= set(parameters_of(average)) - {"model"}
    for key in hook:
        if key not in names | {"type", "priority"}:
            raise UserError(
                f"{place}: {kind.__name__} takes no {key!r}{did_you_mean(key, names)}; it takes "
                f"{', '.join(sorted(names))}."
            )
