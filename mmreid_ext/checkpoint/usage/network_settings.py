"""Collect the settings that decide what a model's weights compute.

The names and shapes of weights don't show them: a network with another stride takes the same
checkpoint and gives other embeddings.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from mmreid_ext.json_values import plain_json
from mmreid_ext.type_names import type_name

STRIDES = "strides"
"""Entry that holds the strides of the built model, by layer."""

_TRAINING_ONLY = frozenset(
    (
        *("losses", "train_losses", "loss_weight", "num_classes", "classifier", "classifier_bias"),
        *("init_cfg", "embedding_init", "pretrained", "frozen_stages", "norm_eval", "with_cp"),
        *("drop_rate", "drop_path_rate", "momentum", "requires_grad", "neck_bias"),
        *("classifier_init", "zero_init_residual", "p_trainable"),
    )
)
"""Settings that don't touch embeddings, wherever in a model they stand."""

_BATCH_NORMS = ("BN", "BN1d", "BN2d", "BatchNorm2d", "SyncBN", "SyncBatchNorm", "MMSyncBN")
"""Names of one function: in evaluation they compute the same."""


def network_settings(model: nn.Module, network: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the settings that decide what a model's weights compute, by their path.

    Args:
        model: The model that was built.
        network: Its configuration; None where the model was given as a module. Then only strides,
            the kind of pooling and the chosen feature are known.
    """
    settings: dict[str, Any] = {STRIDES: _strides(model)}
    neck, feature = getattr(model, "neck", None), getattr(model.head, "test_feature", None)
    settings["neck.type"] = None if neck is None else type(neck).__name__
    settings["head.test_feature"] = feature
    if network is None:
        return settings
    for name in ("backbone", "neck", "head"):
        part = getattr(model, name, None)
        if isinstance(part, nn.Module):
            _flatten({**_defaults(type(part)), **(network.get(name) or {})}, name, settings)
    _flatten(network.get("stage_plugins"), "stage_plugins", settings)
    settings["stem_relu"] = network.get("stem_relu", True)
    if network.get("stem_pool") is not None:  # checkpoints of earlier versions don't name it
        settings["stem_pool"] = network["stem_pool"]
    return settings


def _strides(model: nn.Module) -> dict[str, list[int]]:
    found = {}
    for name, layer in model.named_modules():
        stride = getattr(layer, "stride", None)
        pair = [stride] * 2 if isinstance(stride, int) else list(stride or ())
        if pair and any(step != 1 for step in pair) and all(isinstance(step, int) for step in pair):
            found[name] = pair
    return found


def _defaults(kind: type) -> dict[str, Any]:
    """Default arguments of a class, including those that it hands on to its bases."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if "__init__" in vars(base) and base.__module__.split(".")[0] != "torch":
            parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
            found |= {p.name: p.default for p in parameters if p.default is not p.empty}
    return found


def _flatten(value: Any, path: str, settings: dict[str, Any]) -> None:
    if path.rpartition(".")[2] in _TRAINING_ONLY:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            _flatten(item, f"{path}.{key}", settings)
    elif path.endswith(".type"):
        name = type_name(value)
        settings[path] = "BN" if name in _BATCH_NORMS else name
    else:
        settings[path] = plain_json(value)
