"""Keys of a configuration that nobody reads: misspelt ones, and variables changed too late."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.suggest import did_you_mean, nearest

RUNNER_KEYS = frozenset(
    [
        "model",
        "work_dir",
        "train_dataloader",
        "val_dataloader",
        "test_dataloader",
        "train_cfg",
        "val_cfg",
        "test_cfg",
        "auto_scale_lr",
        "optim_wrapper",
        "param_scheduler",
        "val_evaluator",
        "test_evaluator",
        "default_hooks",
        "custom_hooks",
        "data_preprocessor",
        "load_from",
        "resume",
        "launcher",
        "env_cfg",
        "log_processor",
        "log_level",
        "visualizer",
        "default_scope",
        "randomness",
        "experiment_name",
    ]
)
"""Arguments of MMEngine's ``Runner`` (a test compares them with its signature)."""

OTHER_KEYS = frozenset(
    [
        "custom_imports",
        "batch_size_is_global",
        "model_wrapper_cfg",
        "sync_bn",
        "find_unused_parameters",
        "activation_checkpointing",
        "efficient_conv_bn_eval",
        "compile",
        "runner_type",
    ]
)
"""What MMEngine and this package read from the whole configuration."""

READ = RUNNER_KEYS | OTHER_KEYS
INNER_DICTS = {
    "env_cfg": ("cudnn_benchmark", "mp_cfg", "dist_cfg", "resource_limit"),
    "env_cfg.dist_cfg": (
        *("backend", "init_backend", "timeout", "port", "init_method", "world_size", "rank"),
        *("store", "group_name", "pg_options", "device_id"),
    ),
    "env_cfg.mp_cfg": ("mp_start_method", "opencv_num_threads"),
    "custom_imports": ("imports", "allow_failed_imports"),
    "auto_scale_lr": ("enable", "base_batch_size"),
    "randomness": ("seed", "diff_rank_seed", "deterministic"),
}
"""Dicts of which MMEngine reads some keys and passes over the others."""

ALIKE = 0.85
"""Above this a name is taken for a misspelling; ``train_loader`` is a variable's name, not one."""


def check_file_keys(cfg: Mapping[str, Any], owner: str) -> None:
    """Refuse top-level keys that look like misspelt settings.

    Other unknown names are variables of the configuration. It warns of one whose name stands
    elsewhere with another value: a file that inherits ``max_iters`` and changes it changes nothing.

    Args:
        cfg: Configuration as its file says.
        owner: Name of the file, for messages.

    Raises:
        UserError: If a key looks like a misspelling of one that is read.
    """
    for key in cfg:
        if key in READ or key.startswith("_"):
            continue
        meant = nearest(key, READ)
        if meant is not None and _similarity(key, meant) > ALIKE:
            raise UserError(f"{owner}: nothing reads {key!r}{did_you_mean(key, READ)}.")
        _warn_of_idle_variable(cfg, key, owner)
    check_inner_keys(cfg, owner)


def check_inner_keys(cfg: Mapping[str, Any], owner: str) -> None:
    """Refuse keys of dicts whose unknown keys MMEngine passes over.

    Raises:
        UserError: If there is such a key.
    """
    for path, names in INNER_DICTS.items():
        inner: Any = cfg
        for part in path.split("."):
            inner = inner.get(part) if isinstance(inner, Mapping) else None
        for key in inner if isinstance(inner, Mapping) else ():
            if key not in names and not key.startswith("_"):
                raise UserError(
                    f"{owner}: nothing reads {path}.{key}{did_you_mean(key, names)}; {path} takes "
                    f"{', '.join(names)}."
                )


def check_option_keys(options: Mapping[str, Any], cfg: Mapping[str, Any], owner: str) -> None:
    """Refuse ``--cfg-options`` that would have no effect.

    Args:
        options: Value by dotted key.
        cfg: Configuration before they are laid over it.
        owner: Name of the file, for messages.

    Raises:
        UserError: If the first part of a key is a misspelling or a variable of the configuration,
            or if a part in the middle looks like a misspelling of its neighbour.
    """
    for option in options:
        first, *rest = option.split(".")
        if first in READ:
            _check_path(option, cfg.get(first), first, rest)
        elif first in cfg:
            places = [path for path, _ in _places(cfg, first)]
            remedy = f"set {' or '.join(places)}" if places else "change what it was used for"
            raise UserError(
                f"--cfg-options {option}: {first!r} is a variable of {owner}, whose value has been "
                f"used already; {remedy}."
            )
        else:
            names = READ | set(cfg)
            raise UserError(
                f"--cfg-options {option}: nothing reads {first!r}{did_you_mean(first, names)}."
            )


def _check_path(option: str, node: Any, seen: str, rest: list[str]) -> None:
    for part in rest[:-1]:
        if not isinstance(node, Mapping):
            return
        meant = nearest(part, node)
        if part not in node and meant is not None and _similarity(part, meant) > ALIKE:
            raise UserError(
                f"--cfg-options {option}: {seen} has no {part!r}{did_you_mean(part, node)}."
            )
        node, seen = node.get(part), f"{seen}.{part}"


def _warn_of_idle_variable(cfg: Mapping[str, Any], key: str, owner: str) -> None:
    value = cfg[key]
    if not isinstance(value, (bool, int, float, str)):
        return
    places = dict(_places(cfg, key))
    if places and value not in places.values():
        path, used = next(iter(places.items()))
        warnings.warn(
            f"{owner}: {key}={value!r} has no effect, {path} is {used!r}; set that.", stacklevel=2
        )


def _places(node: Any, key: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths below the top level that end with ``key``, and the plain values there."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if path and name == key and isinstance(value, (bool, int, float, str)):
                yield f"{path}{name}", value
            yield from _places(value, key, f"{path}{name}.")
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            yield from _places(value, key, f"{path}{index}.")


def _similarity(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a, b).ratio()
