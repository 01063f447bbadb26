"""Compare a configuration with what a checkpoint recorded about its own use.

The same weights with another mean give embeddings at a cosine of -0.70 to the right ones, with
another colour order 0.91, with another size 0.99, and nothing else would say so.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from torch import nn

from mmreid_ext.checkpoint.safe_load import read_meta
from mmreid_ext.errors import UserError
from mmreid_ext.image_loading import evaluation_steps
from mmreid_ext.shorten import one_line

from .description import deployment_info
from .network_settings import STRIDES
from .record import recorded

_MUST_AGREE = ("input.mean", "input.std", "input.channel_order")


def check_usage(model: nn.Module, cfg: Mapping[str, Any], checkpoint: str | os.PathLike) -> None:
    """Compare a configuration with what a checkpoint file recorded; see :func:`compare_usage`."""
    compare_usage(model, cfg, {"meta": read_meta(checkpoint)}, checkpoint, trains=False)


def compare_usage(
    model: nn.Module,
    cfg: Mapping[str, Any],
    checkpoint: Mapping[str, Any],
    source: str | os.PathLike,
    trains: bool,
) -> None:
    """Stop or warn where a configuration contradicts what a checkpoint recorded.

    Checkpoints that record nothing, such as those of other packages, are not checked.

    Args:
        model: The model of the configuration.
        cfg: The configuration.
        checkpoint: Content of the checkpoint; only ``meta`` is read.
        source: Its name, for messages.
        trains: Whether the model will be trained on: then everything is a warning.

    Raises:
        UserError: If mean, standard deviation or colour order differ, unless ``trains``.
    """
    record = recorded(checkpoint)
    if record is None:
        return
    differences = _differences(record, *_given(model, cfg))
    wrong = {name: pair for name, pair in differences.items() if name in _MUST_AGREE}
    if wrong and not trains:
        raise UserError(
            f"{source} was trained with another input than the configuration gives: "
            f"{_described(wrong)}. Its embeddings would be wrong. Use the configuration of the "
            "training, or set model.data_preprocessor (mean, std, to_rgb) as recorded."
        )
    if differences:
        print_log(
            f"{source} was trained with other settings than the configuration has: "
            f"{_described(differences)}. Embeddings differ from those of its training.",
            logger="current",
            level=logging.WARNING,
        )


def _given(model: nn.Module, cfg: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Describe the use that a configuration makes; and whether it has a pipeline at all."""
    network, images = cfg.get("model"), evaluation_steps(cfg)
    model = getattr(model, "module", model)
    known = network if isinstance(network, Mapping) else None
    if images is None:
        return deployment_info(model, (), known), False
    return deployment_info(model, images.transforms, known, images.loader), True


def _differences(
    record: Mapping[str, Any], given: Mapping[str, Any], with_steps: bool
) -> dict[str, tuple]:
    """Recorded and given value of what differs, by its path."""
    found: dict[str, tuple] = {}
    before, now = record.get("input") or {}, given["input"]
    for name in ("mean", "std", "channel_order"):  # None is a value: no normalisation
        if name in before and before[name] != now[name]:
            found[f"input.{name}"] = before[name], now[name]
    if with_steps and before.get("steps") and before["steps"] != now["steps"]:
        found["input.steps"] = before["steps"], now["steps"]
    size = (record.get("embedding") or {}).get("size")
    if size not in (None, given["embedding"]["size"]):
        found["embedding.size"] = size, given["embedding"]["size"]
    return found | _network_differences(record.get("network") or {}, given["network"])


def _network_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple]:
    names = before.keys() | now.keys()
    if not all(any(name.startswith("backbone.") for name in side) for side in (before, now)):
        names = before.keys() & now.keys()  # a model that was given built: its settings are unknown
    found = {
        f"model.{name}": (before.get(name), now.get(name))
        for name in sorted(names - {STRIDES})
        if before.get(name) != now.get(name)
    }
    if not found and STRIDES in before and before[STRIDES] != now.get(STRIDES):
        layers = before[STRIDES].keys() | (now.get(STRIDES) or {}).keys()
        for layer in sorted(layers):
            pair = before[STRIDES].get(layer, [1, 1]), now[STRIDES].get(layer, [1, 1])
            if pair[0] != pair[1]:
                found[f"strides of {layer}"] = pair
    return found


def _described(differences: Mapping[str, tuple]) -> str:
    return "; ".join(
        f"{name} {one_line(repr(a), 200)}, now {b!r}" for name, (a, b) in differences.items()
    )
